"""Who gets a case: the least-loaded eligible person of the unit, then up the tree, then up the ladder (CG-13, ML-02).

Never somebody who is away, never the one it is against nor anybody under them (TR-11). An away person's deputy stands
in where the deputy is eligible. A case never changes owner by being passed between departments (FR-12): only routing,
a superior's word and escalation move it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ScalarSelect, Text, any_, bindparam, func, select
from sqlalchemy import case as when
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.people import StaffRow, is_away
from chassis.people.guard import subordinates_of
from chassis.runtime import Context
from chassis.storage.reading import RowReader
from chassis.web.principal import closed
from complaint.cases.acting import SYSTEM, announce_case, draft_case, new_step, record_step
from complaint.cases.tables import Complaint, Step
from complaint.policy import ComplaintPolicy

ABSENCE = ("away_from", "away_until", "deputy")


@dataclass(frozen=True)
class Routed:
    """Who has it now, and in which role of the ladder. ``absence``: when they are away and who stands in then."""

    handler: str | None
    role: str
    absence: Mapping[str, Any] | None = None


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
    near = tuple(nearest_first(case.unit_path))
    for tried in from_role(policy, role):
        present = (_present(session, holder, policy, tried, near, now) for holder in _holders(session, tried, near))
        fit = {person.username: person for person in present if person is not None and person.username not in never}
        if fit:
            chosen = _least_loaded(session, fit, near)
            return Routed(chosen.username, tried, chosen.absence)
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
    step, event = handed(context, case, previous, by=by, at=at, clause=clause, note=note, action=action)
    context.session.add(step)
    outbox.record_one(context.session, event)


def handed(
    context: Context,
    case: Complaint,
    previous: str | None,
    *,
    by: str,
    at: datetime,
    clause: str | None,
    note: str | None = None,
    action: str = "assign",
) -> tuple[Step, Event]:
    """What is written and said of a case that has just come into its handler's hands."""
    step = new_step(
        case, action, by=by, at=at, note=note, clause=clause,
        data={"from": previous, "to": case.handler, "role": case.handler_role},
    )  # fmt: skip
    return step, draft_case(context, case, "assigned", at=at, previous_handler=previous, clause=clause, by=by)


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


@dataclass(frozen=True)
class Candidate:
    """Somebody who may get a case. ``load``: their open cases; unknown of those who are not near."""

    username: str
    unit_path: str
    roles: Sequence[str]
    absence: Mapping[str, Any]
    load: int | None


def _load_of(handler: Any) -> ScalarSelect[int]:
    return select(func.count()).where(Complaint.handler == handler, Complaint.closed_at.is_(None)).scalar_subquery()


_NEAR: Any = bindparam("near", type_=ARRAY(Text))
_PERSON = select(
    StaffRow.username,
    StaffRow.unit_path,
    StaffRow.roles,
    *(StaffRow.state[name].astext.label(name) for name in ABSENCE),
    when((StaffRow.unit_path == any_(_NEAR), _load_of(StaffRow.username)), else_=None).label("load"),
).where(StaffRow.enabled)
_HOLDERS = RowReader(
    _PERSON.where(StaffRow.roles.contains(bindparam("roles", type_=ARRAY(Text)))).order_by(StaffRow.username)
)
_NAMED = RowReader(_PERSON.where(StaffRow.username == bindparam("username")))


def _candidate(row: dict[str, Any]) -> Candidate:
    absence = {name: row[name] for name in ABSENCE}
    return Candidate(row["username"], row["unit_path"], row["roles"], absence, row["load"])


def _holders(session: Session, role: str, near: Sequence[str]) -> list[Candidate]:
    return [_candidate(row) for row in _HOLDERS.within(session, {"roles": [role], "near": list(near)})]


def _present(
    session: Session, holder: Candidate, policy: ComplaintPolicy, role: str, near: Sequence[str], now: datetime
) -> Candidate | None:
    """The holder, or the deputy who stands in and could have had it as well; None when neither is there."""
    if not is_away(holder.absence, now):
        return holder
    deputy = holder.absence["deputy"]
    if deputy is None:
        return None
    found = next(map(_candidate, _NAMED.within(session, {"username": deputy, "near": list(near)})), None)
    if found is None or is_away(found.absence, now) or not set(from_role(policy, role)) & set(found.roles):
        return None
    return found


def _least_loaded(session: Session, fit: Mapping[str, Candidate], near: Sequence[str]) -> Candidate:
    """Of the nearest unit that has anybody; where none of those has, of everybody."""
    for path in near:
        here = [person for person in fit.values() if person.unit_path == path]
        if here:
            return min(here, key=lambda person: (person.load or 0, person.username))
    loads = _loads(session, list(fit))
    return fit[min(fit, key=lambda name: (loads.get(name, 0), name))]


def _loads(session: Session, usernames: Collection[str]) -> dict[str, int]:
    found: Any = (
        select(Complaint.handler, func.count())
        .where(Complaint.handler.in_(usernames), Complaint.closed_at.is_(None))
        .group_by(Complaint.handler)
    )
    return dict(session.execute(found).all())


def nearest_first(path: str) -> Iterator[str]:
    """The case's unit, then the ones above it up to the company."""
    here = closed(path)
    while True:
        yield here
        if here == "/":
            return
        here = here.rstrip("/").rpartition("/")[0] + "/"
