"""The level of a case, decided by the pack's rules and explained with its clause (ML-02, FR-02). Pure."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any

from complaint.policy.rules import ComplaintPolicy, Condition


@dataclass(frozen=True)
class Asked:
    """What the rules ask of a case."""

    received_at: datetime
    category: str | None = None
    channel: str = "hotline"
    value: Decimal | None = None
    insists: bool = False
    against_roles: frozenset[str] = frozenset()  # of the person it is against
    same_matter_at: datetime | None = None  # when the same complainant last said the same


@dataclass(frozen=True)
class Decision:
    """A level and why; ``handler`` is the role that it needs."""

    level: int
    handler: str
    clause: str
    because: str

    def as_reason(self) -> dict[str, Any]:
        """As it is kept with the case and shown."""
        return {"level": self.level, "clause": self.clause, "because": self.because}


def decide(asked: Asked, policy: ComplaintPolicy) -> Decision:
    """The highest level any of whose conditions holds; the lowest needs none."""
    for rule in sorted(policy.levels, key=lambda rule: -rule.level):
        if not rule.conditions:
            return Decision(rule.level, rule.handler, rule.clause, "no condition of a higher level holds")
        for condition in rule.conditions:
            if (because := holds(condition, asked, policy)) is not None:
                return Decision(rule.level, rule.handler, rule.clause, because)
    raise AssertionError("the pack has a level without condition: its reader sees to that")


def holds(condition: Condition, asked: Asked, policy: ComplaintPolicy) -> str | None:
    """Why a condition holds, or None where any part of it does not."""
    reasons = list(_parts(condition, asked, policy))
    return None if None in reasons else "; ".join(reason for reason in reasons if reason)


def _parts(condition: Condition, asked: Asked, policy: ComplaintPolicy) -> Iterator[str | None]:
    if condition.categories:
        covered = policy.categories.covers(condition.categories, asked.category)
        yield f"category {asked.category}" if covered else None
    if condition.channels:
        yield f"channel {asked.channel}" if asked.channel in condition.channels else None
    if condition.value_from is not None:
        enough = asked.value is not None and asked.value >= condition.value_from
        currency = policy.company.currency
        yield f"value {asked.value} at or above {condition.value_from} {currency}" if enough else None
    if condition.against_roles:
        hit = sorted(condition.against_roles & asked.against_roles)
        yield f"against a {hit[0]}" if hit else None
    if condition.insists:
        yield "the complainant insists on a superior" if asked.insists else None
    if condition.repeats_within is not None:
        span, zone = condition.repeats_within, policy.company.time_zone
        again = asked.same_matter_at is not None and span.before(asked.received_at, zone) <= asked.same_matter_at
        yield f"the same matter again within {span}" if again else None
