"""What of admission needs a second person's word."""

from __future__ import annotations

from typing import Any

from chassis.approvals.registry import Approval
from customer.admission.use_cases import BLACKLIST, REINSTATE, blacklist_customer, reinstate_customer


def _where(content: dict[str, Any]) -> str:
    return "the company" if content["scope"] == "company" else f"unit {content['unit']}"


BLACKLISTING = Approval(
    kind=BLACKLIST,
    permission="blacklist:approve",
    execute=blacklist_customer,
    describe=lambda content: f"Blacklist for {_where(content)}: {content['reason']}",
)
REINSTATEMENT = Approval(
    kind=REINSTATE,
    permission="blacklist:approve",
    execute=reinstate_customer,
    describe=lambda content: f"Take off the blacklist of {_where(content)}: {content['reason']}",
)
