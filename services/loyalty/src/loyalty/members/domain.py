"""What a customer's state means to the programme: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from loyalty.policy.rules import Participation

AUTOMATIC = "automatic at registration"


@dataclass(frozen=True, slots=True)
class CustomerState:
    """A customer as the registry last described it; ``version`` orders the descriptions (decision 1)."""

    customer_id: str
    version: int
    code: str | None
    kind: str
    status: str
    birthday: date | None
    names: tuple[str, ...]
    unit: str | None
    earns_blocked: bool
    merged_into: str | None


def read_state(data: Mapping[str, Any], sequence: str | None) -> CustomerState:
    """Read the state that every customer event carries in full."""
    birthday = data.get("birthday")
    return CustomerState(
        customer_id=data["customer_id"].lower(),
        version=int(sequence or 0),
        code=data.get("code"),
        kind=data["kind"],
        status=data["status"],
        birthday=date.fromisoformat(birthday) if birthday else None,
        names=tuple(f"{one['scheme']}:{one['value']}" for one in data.get("identities") or ()),
        unit=data.get("unit"),
        earns_blocked=blocked(data),
        merged_into=(data.get("merged_into") or "").lower() or None,
    )


def blocked(data: Mapping[str, Any]) -> bool:
    """Blacklisted in the whole company, or flagged by data cleaning: what is earned stays under review."""
    reasons = (data.get("standing") or {}).get("reasons") or ()
    banned = any("blacklist" in reason["code"] and reason.get("scope", "company") == "company" for reason in reasons)
    return banned or bool(data.get("flags"))


def takes_part(state: CustomerState, participation: Participation) -> bool:
    """Whether registration alone makes this customer a member."""
    return participation.enrolment == AUTOMATIC and state.kind in participation.kinds
