"""Write definitions.json from what the services subscribe to; ``--check`` only says whether it drifted.

The queues stand bare in it and a policy each gives them their behaviour, so that an operator can change a limit without
remaking a queue (decision 38). Users are not in it: users.sh makes them from secrets. The alternate exchange stays an
argument, because one policy is all that an exchange can have and losing it would lose messages.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from pathlib import Path
from typing import Any

from chassis.messaging.names import BrokerNames
from chassis.messaging.topology_plan import make_plan
from kezhi.installation import SERVICES, build_service

FILE = Path(__file__).with_name("definitions.json")
VHOST = "/"


def definitions(instance: str = "") -> dict[str, Any]:
    """The document in RabbitMQ's definitions format."""
    plan = make_plan(BrokerNames(instance), [build_service(name) for name in SERVICES])
    place = {"vhost": VHOST, "durable": True, "auto_delete": False}
    return {
        "vhosts": [{"name": VHOST}],
        "exchanges": [
            {"name": each.name, **place, "type": each.kind, "internal": False, "arguments": dict(each.arguments)}
            for each in plan.exchanges
        ],
        "queues": [{"name": each.name, **place, "type": "quorum", "arguments": each.bare} for each in plan.queues],
        "bindings": [
            {
                "source": each.source,
                "vhost": VHOST,
                "destination": each.destination,
                "destination_type": "exchange" if each.to_exchange else "queue",
                "routing_key": each.key,
                "arguments": {},
            }
            for each in plan.bindings
        ],
        "policies": [
            {
                "vhost": VHOST,
                "name": each.name,
                "pattern": f"^{re.escape(each.name)}$",
                "apply-to": "queues",
                "priority": 0,
                "definition": each.policy,
            }
            for each in plan.queues
            if each.policy
        ],
    }


def main() -> int:
    """Write or compare; 1 when the file drifted."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true")
    check = parser.parse_args().check
    content = json.dumps(definitions(), indent=1, ensure_ascii=False) + "\n"
    if FILE.exists() and FILE.read_text(encoding="utf-8") == content:
        return 0
    if check:
        print(f"{FILE.name} no longer says what the services subscribe to; run `make contracts` and review it")
        return 1
    FILE.write_text(content, encoding="utf-8")
    print(f"wrote {FILE.name}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
