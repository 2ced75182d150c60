"""Acting on a case: one door through which every change of it goes.

``take`` locks the case, refuses whoever must not know of it (404), asks the table whether its state allows the action
(409) and whether the caller is the one to do it (403), lets the action's effect do its part, writes the step, lets the
clocks follow and announces what others must hear: all in the caller's transaction.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Forbidden, NotFound
from chassis.messaging import outbox
from chassis.messaging.event import Event
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
WITH_CLOCKS = ("resolved",)
SAID_OF_CLOCKS = ("kind", "due_at", "status", "explanation")


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
    follows: str | None = None  # what the clocks hear; the action's name unless the effect says otherwise
    said: list[tuple[str, str | None, dict[str, Any]]] = field(default_factory=list)

    @property
    def session(self) -> Session:
        """The transaction."""
        return self.context.session

    def say(self, type_: str, *, key: str | None = None, **more: Any) -> None:
        """Announce ``complaint.<type_>`` once the case has moved and its clocks have followed."""
        self.said.append((type_, key, more))


Effect = Callable[[Act], str | None]
"""What an action does beside moving the case; answers the state to go to where the table leaves it open."""


def take(
    context: Context, principal: Principal, complaint_id: uuid.UUID, action: str, body: Mapping[str, Any]
) -> Complaint:
    """Do one action on a case.

    Raises NotFound for a case that the caller must not know of, IllegalTransition, Forbidden; and what the effect does.
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
    now = context.clock.now()
    act = Act(context, case, action, principal, body, policy.rules, policy.version, now, follows=action)
    before, round_before = case.status, case.round
    decided = ACTIONS[action].effect(act)
    after = decided or (row.to[0] if row.to else before)
    if row.to and after not in row.to:
        raise RuntimeError(f"the effect of {action} leads to {after}, the table to {row.to}")
    move(case, after, now)
    by_role = role_of(principal, case)
    record_step(
        context, case, action, by=principal.username, by_role=by_role, at=now, from_status=before, to_status=after,
        note=act.note, data=act.data, clause=row.clause, round_=round_before,
    )  # fmt: skip
    if case.status in BY_ITSELF:
        move(case, BY_ITSELF[after], now)
        record_step(context, case, "call_back", by=SYSTEM, at=now, from_status=after, clause="CG-16")
    if act.follows is not None:
        follow(context, case, act.follows, now, policy.rules)
    for type_, key, more in act.said:
        clocks = {"clocks": clocks_said(session, case)} if type_ in WITH_CLOCKS else {}
        announce_case(context, case, type_, key=key, at=now, **more, **clocks)
    if case.round > round_before:
        announce_case(
            context, case, "reopened", at=now, satisfaction=case.satisfaction, previous_round=round_before,
            clocks=clocks_said(session, case),
        )  # fmt: skip
    if case.status in FINAL and before not in FINAL:
        announce_closed(context, case, now, principal.username)
    case.version += 1
    session.flush()
    return case


def announce_closed(context: Context, case: Complaint, at: datetime, by: str) -> None:
    """The end of a case, whichever way it came to it."""
    announce_case(
        context, case, "closed", at=at, satisfaction=case.satisfaction, outcome=case.outcome or case.status,
        received_at=instant(case.received_at), rounds=case.round, by=by,
    )  # fmt: skip


def clocks_said(session: Session, case: Complaint) -> list[dict[str, Any]]:
    """The clocks of a case as its events carry them."""
    from complaint.clocks.showing import shown  # noqa: PLC0415 - clocks announce through this module

    return as_said(shown(session, [case.id]).get(case.id, []))


def as_said(clocks: Iterable[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Clocks as they are shown, in the words of events."""
    return [
        {name: clock[name] if name != "due_at" else _written(clock[name]) for name in SAID_OF_CLOCKS}
        for clock in clocks
    ]


def _written(at: datetime | str) -> str:
    return at if isinstance(at, str) else instant(at)


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


def record_step(context: Context, case: Complaint, action: str, **facts: Any) -> Step:
    """Write a line of the case's history; the facts are those of ``new_step``."""
    step = new_step(case, action, **facts)
    context.session.add(step)
    return step


def new_step(
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
    round_: int | None = None,
) -> Step:
    """A line of the case's history; ``round_``: of the round that the action ended."""
    return Step(
        complaint_id=case.id, round=round_ or case.round, action=action, from_status=from_status or case.status,
        to_status=to_status or case.status, by=by, by_role=by_role, at=at, note=note, data=dict(data or {}),
        clause=clause,
    )  # fmt: skip


def announce_case(context: Context, case: Complaint, type_: str, **more: Any) -> None:
    """Say ``complaint.<type_>.v1``, as ``draft_case`` writes it."""
    outbox.record_one(context.session, draft_case(context, case, type_, **more))


def draft_case(
    context: Context, case: Complaint, type_: str, *, key: str | None = None, at: datetime | None = None, **more: Any
) -> Event:
    """``complaint.<type_>.v1`` with what every event of a case carries; ``more`` is the event's own.

    Each saying raises the case's version, which is the event's sequence. ``key`` names the fact where it has a name of
    its own (a clock's id); otherwise case and version do.
    """
    case.version += 1
    data = {**common_members(case), "at": instant(at or context.clock.now()), **more}
    return outbox.draft(
        context.session, f"complaint.{type_}.v1", subject=str(case.id), data=data,
        key=key or f"{case.id}:{case.version}", partitionkey=str(case.customer_id or case.id), sequence=case.version,
        policyversion=context.policies.in_force().version,
    )  # fmt: skip


def common_members(case: Complaint) -> dict[str, Any]:
    """What every event of a case says of it. A customer who is in the registry is named by id alone."""
    complainant = None
    left = {"name": case.complainant_name, "phone": case.complainant_phone, "email": case.complainant_email}
    if not case.anonymous and not case.verified and any(left.values()):
        complainant = left
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
