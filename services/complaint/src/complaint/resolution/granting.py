"""Compensation as it is asked for, held against authority, and granted: told to the others once, under its own id."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import TYPE_CHECKING, Any
from uuid import UUID

from chassis.errors import Invalid
from chassis.ids import uuid7
from chassis.web.fields import plain
from chassis.web.principal import ADMINISTRATOR
from complaint.cases.tables import Complaint
from complaint.policy import ComplaintPolicy
from complaint.resolution.domain import NOTHING, Grant, Ruling, authority, money_granted, points_granted
from complaint.resolution.tables import Compensation

if TYPE_CHECKING:
    from chassis.web.principal import Principal
    from complaint.cases.acting import Act


def asked_for(compensation: Mapping[str, Any] | None, case: Complaint, policy: ComplaintPolicy) -> Grant:
    """What a body's ``compensation`` asks for. Raises Invalid where it could reach nobody or count for nothing."""
    if not compensation:
        return NOTHING
    points, amount = compensation.get("points"), compensation.get("amount")
    if (points is None) == (amount is None):
        raise Invalid("points or money, one of them", {"compensation": ["give points, or amount with currency"]})
    if points is not None:
        if case.customer_id is None:
            raise Invalid(
                "points are kept for registered customers only",
                {"compensation.points": ["the complainant is no registered customer: grant money instead"]},
            )
        return points_granted(points, policy.compensation.points, policy.compensation.worth)
    ours = policy.company.currency
    if compensation.get("currency", ours) != ours:
        raise Invalid(
            "limits are written in the company's currency", {"compensation.currency": [f"must be {ours}"]}
        )  # fmt: skip
    return money_granted(Decimal(str(amount)), ours)


def ruling(grant: Grant, case: Complaint, by: Principal, policy: ComplaintPolicy, *, approving: bool = False) -> Ruling:
    """Whether this person may decide this grant, with everything that the case was granted before.

    ``approving``: as the second person. The administrator may then do it whatever it costs, but grants nothing alone
    beyond what the pack gives that role: that would be approving one's own (decision 14).
    """
    limits = {name: role.compensation for name, role in policy.company.roles.items()}
    if approving:
        limits[ADMINISTRATOR] = None
    return authority(grant.value, Decimal(case.compensated), by.roles, limits, policy.company.currency)


def pay(act: Act, grant: Grant, *, proposal_id: UUID | None, approved_by: str | None, reason: str | None) -> None:
    """Grant it: the row, the sum of the case, and the event that loyalty and finance act on (exactly once each)."""
    case, clause = act.case, act.policy.compensation.clause
    granted = Compensation(
        id=uuid7(act.at),
        complaint_id=case.id,
        round=case.round,
        proposal_id=proposal_id,
        points=grant.points,
        amount=grant.amount,
        currency=grant.currency,
        value=grant.value,
        reason=reason,
        granted_by=act.by.username,
        approved_by=approved_by,
        granted_at=act.at,
        clause=clause,
        policyversion=act.policyversion,
    )
    act.session.add(granted)
    case.compensated = Decimal(case.compensated) + grant.value
    act.say(
        "compensated",
        key=f"compensation:{granted.id}",
        compensation_id=str(granted.id),
        points=grant.points,
        amount=None if grant.amount is None else plain(grant.amount),
        currency=grant.currency,
        approved_by=approved_by,
        clause=clause,
    )
    act.data = {**act.data, "compensation": {"id": str(granted.id), **described(grant)}}


def described(grant: Grant) -> dict[str, Any]:
    """A grant in the words of history and API."""
    if grant.amount is not None:
        return {"amount": plain(grant.amount), "currency": grant.currency, "value": plain(grant.value)}
    return {"points": grant.points, "value": plain(grant.value)}
