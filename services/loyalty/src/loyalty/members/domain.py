"""What a customer's state means to the programme: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.timing.lunar import lunar_day
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
    grade: str | None
    classes: dict[str, str]  # scheme → value
    tags: list[str]
    flags: list[str]  # codes of findings in force
    blacklisted: bool  # in the whole company
    contacts: tuple[str, ...] = ()  # telephone numbers and e-mail addresses
    lunar_birthday: tuple[int, int, bool] | None = None  # month, day, of a leap month


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
        grade=data.get("grade"),
        classes={scheme: one["value"] for scheme, one in (data.get("classes") or {}).items() if one.get("value")},
        tags=list(data.get("tags") or ()),
        flags=[flag["code"] for flag in data.get("flags") or ()],
        blacklisted=blacklisted(data),
        contacts=contacts_of(data),
        lunar_birthday=lunar_birthday_of(data),
    )


def contacts_of(data: Mapping[str, Any]) -> tuple[str, ...]:
    """By what this customer is reached; two members who share one may be the same person."""
    numbers = [one["number"] for one in data.get("phones") or ()]
    addresses = [one["address"] for one in data.get("emails") or ()]
    named = [one["value"] for one in data.get("identities") or () if one["scheme"] in ("phone", "email")]
    return tuple(dict.fromkeys((*numbers, *addresses, *named)))


def lunar_birthday_of(data: Mapping[str, Any]) -> tuple[int, int, bool] | None:
    """The birthday of who keeps it by the lunar calendar: as written, or the lunar day that a date was."""
    for kept in data.get("special_dates") or ():
        if kept["kind"] != "birthday" or kept.get("calendar") != "lunar":
            continue
        if kept.get("month") and kept.get("day"):
            return kept["month"], kept["day"], bool(kept.get("leap_month"))
        if kept.get("date"):
            day = lunar_day(date.fromisoformat(kept["date"]))
            return day.month, day.day, day.leap
    return None


def blacklisted(data: Mapping[str, Any]) -> bool:
    """Blacklisted in the whole company."""
    reasons = (data.get("standing") or {}).get("reasons") or ()
    return any("blacklist" in reason["code"] and reason.get("scope", "company") == "company" for reason in reasons)


def blocked(data: Mapping[str, Any]) -> bool:
    """Blacklisted, or flagged by data cleaning: what is earned stays under review."""
    return blacklisted(data) or bool(data.get("flags"))


def takes_part(state: CustomerState, participation: Participation) -> bool:
    """Whether registration alone makes this customer a member."""
    return participation.enrolment == AUTOMATIC and state.kind in participation.kinds
