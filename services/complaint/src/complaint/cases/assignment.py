"""Who gets a case: the least-loaded eligible person of the unit, then up the tree, then up the ladder (CG-13, ML-02).

Never somebody who is away, never the one it is against nor anybody under them (TR-11). An away person's deputy stands
in where the deputy is eligible. A case never changes owner by being passed between departments (FR-12): only routing,
a superior's word and escalation move it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.people import StaffRow, is_away
from chassis.people.guard import subordinates_of
from chassis.runtime import Context
from chassis.web.principal import closed
from complaint.cases.acting import SYSTEM, announce_case, record_step
from complaint.cases.tables import Complaint
from complaint.policy import ComplaintPolicy


@dataclass(frozen=True)
class Routed:
    """Who has it now, and in which role of the ladder."""

    handler: str | None
    role: str


def route(
    context: Context, case: Complaint, role: str, policy: ComplaintPolicy, *, exclude: Collection[str] = ()
) -> str | None:
    """The username of who should have the case in ``role`` or, where there is nobody, in the next role above."""
    return routed(context, case, role, policy, exclude=exclude).handler


def routed(
    context: Context, case: Complaint, role: str, policy: ComplaintPolicy, *, exclude: Collection[str] = ()
) -> Routed:
    """As ``route``, with the role it was found in; nobody anywhere: no handler, in the role that was asked for."""
    session, now = context.session, context.clock.now()
    never = barred(session, case) | frozenset(exclude)
    for tried in from_role(policy, role):
        holders = _holders(session, tried)
        fit = {
            person.username: person
            for holder in holders
            if (person := _present(session, holder, policy, tried, now)) is not None and person.username not in never
        }
        if fit:
            loads = _loads(session, list(fit))
            for paths in _nearest_first(case.unit_path):
                near = [name for name, person in fit.items() if paths is None or person.unit_path == paths]
                if near:
                    return Routed(min(near, key=lambda name: (loads.get(name, 0), name)), tried)
    return Routed(None, role)


def from_role(policy: ComplaintPolicy, role: str) -> tuple[str, ...]:
    """The role and those above it on the ladder; a role that stands beside the ladder is tried before all of it."""
    ladder = policy.escalation.ladder
    return ladder[ladder.index(role) :] if role in ladder else (role, *ladder)


def above_role(policy: ComplaintPolicy, role: str) -> str | None:
    """The next role of the ladder; None at its top."""
    higher = from_role(policy, role)[1:]
    return higher[0] if higher else None


def barred(session: Session, case: Complaint) -> frozenset[str]:
    """Everybody who must not have this case because it is about them or somebody above them."""
    names = set(case.hidden_alone) | set(case.hidden_with_subordinates)
    for accused in case.hidden_with_subordinates:
        names |= subordinates_of(session, accused)
    return frozenset(names)


def give(
    context: Context,
    case: Complaint,
    to: Routed,
    *,
    by: str,
    at: datetime,
    clause: str | None,
    note: str | None = None,
    action: str = "assign",
) -> None:
    """Put a case into somebody's hands: handler, step, ``complaint.assigned``. The same hands again: only the role."""
    previous, case.handler_role = case.handler, to.role
    if to.handler == previous:
        return
    case.handler = to.handler
    record_step(
        context, case, action, by=by, at=at, note=note, data={"from": previous, "to": to.handler, "role": to.role},
        clause=clause,
    )  # fmt: skip
    announce_case(context, case, "assigned", at=at, previous_handler=previous, clause=clause, by=by)


def escalate(
    context: Context,
    case: Complaint,
    *,
    reason: str,
    clause: str | None,
    policy: ComplaintPolicy,
    at: datetime,
    by: str = SYSTEM,
    level: int | None = None,
) -> None:
    """Hand a case to the next role above its handler's. At the top it stays, and is said all the same.

    ``level`` raises the case with it (a handler's own hand-up: beyond the first handler's authority, FR-02).
    """
    previous_level, previous = case.level, case.handler
    role = above_role(policy, case.handler_role)
    if role is not None:
        found = routed(context, case, role, policy, exclude={previous} if previous else ())
        if found.handler is not None:
            case.handler, case.handler_role = found.handler, found.role
    if level is not None and level > case.level:
        case.level = level
        case.level_reason = {"level": level, "clause": clause, "because": reason}
    record_step(
        context, case, "escalate", by=by, at=at, note=reason, clause=clause,
        data={"from": previous, "to": case.handler, "role": case.handler_role, "previous_level": previous_level},
    )  # fmt: skip
    announce_case(
        context, case, "escalated", at=at, previous_level=previous_level, previous_handler=previous, reason=reason,
        clause=clause,
    )  # fmt: skip


def raise_level(
    context: Context,
    case: Complaint,
    level: int,
    *,
    clause: str | None,
    because: str,
    policy: ComplaintPolicy,
    at: datetime,
    by: str = SYSTEM,
    new_handler: bool = False,
) -> None:
    """Raise a case's level (never lower it) and give it to the role of that level.

    ``new_handler``: somebody else than the present handler must have it (the next round, FR-08), where there is anyone.
    """
    if level > case.level:
        case.level = level
        case.level_reason = {"level": level, "clause": clause, "because": because}
    role = next((rule.handler for rule in policy.levels if rule.level == case.level), case.handler_role)
    if not new_handler and _reaches(policy, case.handler_role, role) and case.handler is not None:
        return
    if _reaches(policy, case.handler_role, role):
        role = above_role(policy, case.handler_role) or case.handler_role
    found = routed(context, case, role, policy, exclude={case.handler} if new_handler and case.handler else ())
    if found.handler is None and case.handler is not None:
        return
    give(context, case, found, by=by, at=at, clause=clause, note=because)


def _reaches(policy: ComplaintPolicy, has: str, needs: str) -> bool:
    ladder = policy.escalation.ladder
    return has in ladder and needs in ladder and ladder.index(has) >= ladder.index(needs)


def _holders(session: Session, role: str) -> list[StaffRow]:
    found = select(StaffRow).where(StaffRow.enabled, StaffRow.roles.contains([role])).order_by(StaffRow.username)
    return list(session.scalars(found))


def _present(session: Session, holder: StaffRow, policy: ComplaintPolicy, role: str, now: datetime) -> StaffRow | None:
    """The holder, or the deputy who stands in and could have had it as well; None when neither is there."""
    if not is_away(holder.state, now):
        return holder
    deputy = holder.state.get("deputy")
    if deputy is None:
        return None
    found = session.scalar(select(StaffRow).where(StaffRow.username == deputy, StaffRow.enabled))
    eligible = found is not None and not is_away(found.state, now) and set(from_role(policy, role)) & set(found.roles)
    return found if eligible else None


def _loads(session: Session, usernames: Collection[str]) -> dict[str, int]:
    found: Any = (
        select(Complaint.handler, func.count())
        .where(Complaint.handler.in_(usernames), Complaint.closed_at.is_(None))
        .group_by(Complaint.handler)
    )
    return dict(session.execute(found).all())


def _nearest_first(path: str) -> Iterator[str | None]:
    """The case's unit, the ones above it up to the company, then anywhere (None)."""
    here = closed(path)
    while True:
        yield here
        if here == "/":
            break
        here = here.rstrip("/").rpartition("/")[0] + "/"
    yield None
