"""What has to be true before the services start: schemas migrated, topology declared, a first policy, an administrator.

Runs in a process of its own, so that the supervisor stays small. Every step is repeatable.
"""

from __future__ import annotations

import json
import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.messaging import topology
from chassis.policies.use_cases import found_policy
from chassis.storage.migrations import migrate
from kezhi.installation import SERVICES, Installation, build_service


@dataclass(frozen=True)
class Prepared:
    """What the caller tells the person at the terminal. ``admin_password`` is set only when it was generated now."""

    policy: str
    admin_password: str | None


def prepare(installation: Installation, pack: Path) -> Prepared:
    """Bring databases and broker to this version of Kezhi; found the company if it is new.

    ``pack`` becomes the first policy version of an installation that has none; on a later start it changes nothing
    (decision 15: a start-up option may only stage the first version).
    """
    services = [build_service(name) for name in SERVICES]
    for service in services:
        migrate(service, installation.database_url(service.name, owner=True))
    runtimes = {service.name: installation.runtime(service.name) for service in services}
    topology.declare(installation.configuration.amqp_url, runtimes["gateway"].names, services)
    version = ""
    for runtime in runtimes.values():
        with runtime.context() as context:
            version = found_policy(context.session, runtime.service, pack, context.clock)
        runtime.policies.refresh()
    return Prepared(version, _found_company(runtimes["gateway"]))


def _found_company(gateway: Any) -> str | None:
    from gateway.people.use_cases import found_company  # noqa: PLC0415 - only the founding needs the gateway's own rules

    with gateway.context() as context:
        return found_company(context.session, os.environ.get("KEZHI_ADMIN_PASSWORD"))


def main() -> None:
    """Entry of the child process: a configuration on standard input, the outcome on standard output."""
    from kezhi.home import Configuration, Home  # noqa: PLC0415 - a child's own wiring

    told = json.load(sys.stdin)
    installation = Installation(Home(Path(told["home"])), Configuration(**told["configuration"]))
    outcome = prepare(installation, Path(told["pack"]))
    json.dump({"policy": outcome.policy, "admin_password": outcome.admin_password}, sys.stdout)


if __name__ == "__main__":
    main()
