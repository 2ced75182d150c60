"""What has to be true before the services start: schemas migrated, topology declared, a first policy, an administrator.

Runs in a process of its own, so that the supervisor stays small. Every step is repeatable.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from chassis.founding import found
from chassis.messaging import embedded, topology
from chassis.messaging.names import BrokerNames
from chassis.messaging.topology import TopologyMismatch
from chassis.policies.problems import PolicyRefused
from chassis.storage.migrations import migrate
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service

FOR_THE_PERSON = 3  # exit code: what stands on standard error is meant for whoever typed the command


def prepare(installation: Installation, pack: Path) -> list[str]:
    """Bring databases and broker to this version of Kezhi, found what is new; answers what to tell the person."""
    services = [build_service(name) for name in SERVICES]
    names = BrokerNames(installation.configuration.instance)
    if installation.configuration.embedded_broker:
        embedded.prepare_database(installation.configuration.amqp_url)
    topology.declare(installation.configuration.amqp_url, names, services)
    told = []
    for service in services:
        migrate(service, installation.database_url(service.name, owner=True))
        runtime = installation.runtime(service.name)
        told += found(runtime, pack)
        runtime.engine.dispose()
    return told


def main() -> None:
    """Entry of the child process: a configuration on standard input, what to tell on standard output."""
    told = json.load(sys.stdin)
    installation = Installation(Home(Path(told["home"])), Configuration(**told["configuration"]))
    try:
        words = prepare(installation, Path(told["pack"]))
    except (PolicyRefused, TopologyMismatch) as refused:
        problems = refused.problems if isinstance(refused, PolicyRefused) else [refused]
        print("\n".join(map(str, problems)), file=sys.stderr)
        sys.exit(FOR_THE_PERSON)
    json.dump(words, sys.stdout)


if __name__ == "__main__":
    main()
