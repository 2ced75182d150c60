"""Acting on a case: one door through which every change of it goes.

``take`` locks the case, refuses whoever must not know of it (404), asks the table whether its state allows the action
(409) and whether the caller is the one to do it (403), lets the action's effect do its part, writes the step, lets the
clocks follow and announces what others must hear: all in the caller's transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, NotFound
from chassis.messaging import outbox
from chassis.people.guard import as_hidden_from
from chassis.runtime import Context
from chassis.web.fields import instant
from chassis.web.principal import Principal
from complaint.cases.lifecycle import BY_ITSELF, FINAL, LIFECYCLE, WAITING
from complaint.cases.standing import facts_of
from complaint.cases.tables import Complaint, Step
from complaint.cases.visibility import may_see
from complaint.policy import ComplaintPolicy

SYSTEM = "system"


@dataclass
class Act:
    """One action under way. ``case`` is locked; an effect may change it and may add to ``note`` and ``data``."""

    context: Context
    case: Complaint
    action: str
    by: Principal
    body: Mapping[str, Any]
    policy: ComplaintPolicy
    policyversion: str
    at: datetime
    note: str | None = None
    data: dict[str, Any] = field(default_factory=dict)

    @property
    def session(self) -> Session:
        """The transaction."""
        return self.context.session


Effect = Callable[[Act], str | None]
"""What an action does beside moving the case; answers the state to go to where the table leaves it open."""


def take(
    context: Context, principal: Principal, complaint_id: uuid.UUID, action: str, body: Mapping[str, Any]
) -> Complaint:
    """Do one action on a case.

    Raises NotFound for a case that the caller must not know of, IllegalTransition, Forbidden, and what its effect raises.
    """
    from complaint.cases.actions import ACTIONS  # noqa: PLC0415 - the features' effects import this module
    from complaint.clocks.use_cases import follow  # noqa: PLC0415 - clocks announce through this module

    session = context.session
    case = lock(session, complaint_id)
    if not may_see(session, principal, case):
        raise NotFound(f"no complaint {complaint_id}")
    facts = facts_of(context, principal, case)
    row = LIFECYCLE.find(case.status, action, facts)
    if not row.who(facts):
        raise Forbidden(
            f"{action} is for {row.who.__name__.replace('_', ' ')}", current=case.status,
            allowed=LIFECYCLE.allowed(case.status, facts),
        )  # fmt: skip
    policy = context.policies.in_force()
    act = Act(context, case, action, principal, body, policy.rules, policy.version, context.clock.now())
    before = case.status
    decided = ACTIONS[action].effect(act)
    after = decided or (row.to[0] if row.to else before)
    if row.to and after not in row.to:
        raise RuntimeError(f"the effect of {action} leads to {after}, the table to {row.to}")
    move(case, after, act.at)
    by_role = role_of(principal, case)
    record_step(
        context, case, action, by=principal.username, by_role=by_role, at=act.at, from_status=before, to_status=after,
        note=act.note, data=act.data, clause=row.clause,
    )  # fmt: skip
    if case.status in BY_ITSELF:
        move(case, BY_ITSELF[after], act.at)
        record_step(context, case, "call_back", by=SYSTEM, at=act.at, from_status=after, clause="CG-16")
    follow(context, case, action, act.at, policy.rules)
    ACTIONS[action].announce(act)
    session.flush()
    return case


def lock(session: Session, complaint_id: uuid.UUID) -> Complaint:
    """The case under its lock, as it is now. Raises NotFound."""
    found = select(Complaint).where(Complaint.id == complaint_id).with_for_update()
    case = session.scalar(found.execution_options(populate_existing=True))
    if case is None:
        raise NotFound(f"no complaint {complaint_id}")
    return case


def move(case: Complaint, status: str, at: datetime) -> None:
    """Put a case into a state, with the marks that belong to it."""
    if status != WAITING:
        case.waiting_from = None
    elif case.status != WAITING:
        case.waiting_from = case.status
    case.status = status
    if status in FINAL:
        case.closed_at = case.closed_at or at
    else:
        case.closed_at = None


def role_of(principal: Principal, case: Complaint) -> str | None:
    """In which role somebody acts on a case: the handler in the handler's; else the first of theirs by name."""
    if principal.username == case.handler and case.handler_role in principal.roles:
        return case.handler_role
    return min(principal.roles, default=None)


def record_step(
    context: Context,
    case: Complaint,
    action: str,
    *,
    by: str,
    at: datetime,
    by_role: str | None = None,
    from_status: str | None = None,
    to_status: str | None = None,
    note: str | None = None,
    data: Mapping[str, Any] | None = None,
    clause: str | None = None,
) -> Step:
    """Write a line of the case's history."""
    step = Step(
        complaint_id=case.id, round=case.round, action=action, from_status=from_status or case.status,
        to_status=to_status or case.status, by=by, by_role=by_role, at=at, note=note, data=dict(data or {}),
        clause=clause,
    )  # fmt: skip
    context.session.add(step)
    return step


def announce_case(
    context: Context, case: Complaint, type_: str, *, key: str | None = None, at: datetime | None = None, **more: Any
) -> None:
    """Say ``complaint.<type_>.v1`` with what every event of a case carries; ``more`` is the event's own.

    Each saying raises the case's version, which is the event's sequence. ``key`` names the fact where it has a name of
    its own (a clock's id); otherwise case and version do.
    """
    case.version += 1
    data = {**common_members(case), "at": instant(at or context.clock.now()), **more}
    outbox.announce(
        context.session, f"complaint.{type_}.v1", subject=str(case.id), data=data, key=key or f"{case.id}:{case.version}",
        partitionkey=str(case.customer_id or case.id), sequence=case.version,
        policyversion=context.policies.in_force().version,
    )  # fmt: skip


def common_members(case: Complaint) -> dict[str, Any]:
    """What every event of a case says of it. A customer who is in the registry is named by id alone."""
    complainant = None
    if not case.anonymous and not case.verified and (case.complainant_name or case.complainant_phone):
        complainant = {"name": case.complainant_name, "phone": case.complainant_phone}
    return {
        "customer_id": str(case.customer_id) if case.customer_id else None,
        "complaint_id": str(case.id),
        "number": case.number,
        "type": case.type,
        "status": case.status,
        "level": case.level,
        "round": case.round,
        "channel": case.channel,
        "category": case.category,
        "subject": case.subject,
        "unit": case.unit,
        "handler": case.handler,
        "complainant": complainant,
        "against": {"kind": case.against_kind, "ref": case.against_ref} if case.against_kind else None,
        "hidden_from": as_hidden_from(case),
    }
