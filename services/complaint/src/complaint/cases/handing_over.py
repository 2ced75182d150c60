"""All open cases of somebody who leaves or is away, given to others in one action (decision 33)."""

from __future__ import annotations

from dataclasses import dataclass, field

from sqlalchemy import select

from chassis.errors import Conflict, Invalid
from chassis.people import StaffRow, is_away
from chassis.runtime import Context
from chassis.web.principal import Principal
from complaint.cases.acting import lock
from complaint.cases.assignment import Routed, barred, from_role, give, routed
from complaint.cases.tables import Complaint
from complaint.cases.visibility import visible
from complaint.policy import ComplaintPolicy


@dataclass
class HandedOver:
    """Numbers of the cases that went to others, and of those for whom there was nobody."""

    moved: list[str] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def hand_over(context: Context, principal: Principal, username: str, to: str | None, reason: str) -> HandedOver:
    """Give every open case of ``username`` that the caller may know of to ``to``, or route each anew.

    Raises Invalid for somebody who is not here, Conflict for somebody who is away.
    """
    session, now = context.session, context.clock.now()
    rules: ComplaintPolicy = context.policies.in_force().rules
    person = _the_receiver(context, to)
    mine = (Complaint.handler == username, Complaint.closed_at.is_(None))
    ids = session.scalars(select(Complaint.id).where(*mine, visible(session, principal)).order_by(Complaint.id)).all()
    done = HandedOver()
    for id_ in ids:
        case = lock(session, id_)
        if case.handler != username or case.closed_at is not None:
            continue
        found = (
            _for(context, case, person, rules)
            if person
            else routed(context, case, case.handler_role, rules, exclude={username})
        )
        if found is None or found.handler is None:
            done.left.append(case.number)
            continue
        give(context, case, found, by=principal.username, at=now, clause="FR-12", note=reason, action="hand_over")
        session.flush()
        done.moved.append(case.number)
    return done


def _the_receiver(context: Context, to: str | None) -> StaffRow | None:
    if to is None:
        return None
    person = context.session.scalar(select(StaffRow).where(StaffRow.username == to, StaffRow.enabled))
    if person is None:
        raise Invalid("nobody of that name works here", {"to": ["no such member of staff"]})
    if is_away(person.state, context.clock.now()):
        raise Conflict(f"{to} is away", handler=to)
    return person


def _for(context: Context, case: Complaint, person: StaffRow, rules: ComplaintPolicy) -> Routed | None:
    """The receiver, in the lowest role of theirs that reaches the case; None where they may not have it."""
    if person.username in barred(context.session, case):
        return None
    reaching = from_role(rules, rules.level(case.level).handler)
    role = next((role for role in reaching if role in person.roles), None)
    return Routed(person.username, role) if role else None
