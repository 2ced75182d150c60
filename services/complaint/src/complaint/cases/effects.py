"""What the plain actions do beside moving the case: acknowledging, contacting, judging, assigning, waiting, ending."""

from __future__ import annotations

from sqlalchemy import select

from chassis.errors import Conflict, Invalid
from chassis.people import StaffRow, is_away
from complaint.cases.acting import Act
from complaint.cases.assignment import Routed, barred, escalate, from_role, give, raise_level
from complaint.cases.levels import decide
from complaint.cases.lifecycle import TRIAGED, UNFOUNDED
from complaint.cases.recognising import asked_of, earlier

FIRST, PROGRESS = "first", "progress"


def acknowledge(act: Act) -> None:
    """Somebody has it. A case that nobody could be found for belongs to whoever acknowledges it (ML-14)."""
    act.case.acknowledged_at = act.at
    if act.case.handler is None:
        role = _role_for(act, act.by.roles)
        if role is not None:
            give(act.context, act.case, Routed(act.by.username, role), by=act.by.username, at=act.at, clause="ML-14")


def contact(act: Act) -> None:
    """Speak with the complainant. The first who reaches them meets the first contact; trying alone does not (FR-04)."""
    case, reached = act.case, act.body["reached"]
    kind = FIRST if case.first_contacted_at is None else act.body["kind"]
    act.note, act.data = act.body.get("note"), {"kind": kind, "reached": reached}
    act.follows = None
    if reached:
        act.follows = "contact" if kind == FIRST else "progress"
        case.first_contacted_at = case.first_contacted_at or act.at
    act.say("contacted", reached=reached, kind=kind, by=act.by.username)
    if kind == PROGRESS:
        act.say("progressed", reached=reached, note=act.note, by=act.by.username)


def progress(act: Act) -> None:
    """Tell the customer how it goes (CG-14, FR-06)."""
    case, reached = act.case, act.body["reached"]
    act.note, act.data = act.body["note"], {"reached": reached}
    if reached and case.first_contacted_at is None:
        case.first_contacted_at, act.follows = act.at, "contact"
    elif not reached:
        act.follows = None
    act.say("progressed", reached=reached, note=act.note, by=act.by.username)


def triage(act: Act) -> str:
    """Judge whether it is founded, sort it, name the department that works on it; its handler keeps it (FR-12)."""
    case, body = act.case, act.body
    act.note = body.get("note")
    case.founded = body["founded"]
    act.data = {name: body[name] for name in ("founded", "category", "department") if body.get(name) is not None}
    if (category := body.get("category")) is not None:
        if not act.policy.categories.known(category):
            raise Invalid("no such category", {"category": [f"one of: {', '.join(act.policy.categories.codes)}"]})
        case.category = category
    case.department = body.get("department") or case.department
    if not case.founded:
        return UNFOUNDED
    decided = decide(asked_of(act.session, case, earlier(act.session, case, act.policy)), act.policy)
    if decided.level > case.level:
        raise_level(
            act.context, case, decided.level, clause=decided.clause, because=decided.because, policy=act.policy,
            at=act.at, by=act.by.username,
        )  # fmt: skip
        act.data["level"] = case.level
    return TRIAGED


def assign(act: Act) -> None:
    """A superior gives the case to somebody who is there, may have it, and whose role reaches its level (FR-05)."""
    name = act.body["handler"]
    person = act.session.scalar(select(StaffRow).where(StaffRow.username == name, StaffRow.enabled))
    if person is None or name in barred(act.session, act.case):
        raise Invalid("that person can't have this case", {"handler": ["nobody who may have this case"]})
    if is_away(person.state, act.at):
        raise Conflict(f"{name} is away: name somebody who is there, or the deputy", handler=name)
    role = _role_for(act, person.roles)
    if role is None:
        needed = act.policy.level(act.case.level).handler
        raise Invalid("that person's role does not reach this case", {"handler": [f"needs {needed} or above"]})
    act.note, act.data = act.body.get("note"), {"from": act.case.handler, "to": name, "role": role}
    previous, act.case.handler, act.case.handler_role = act.case.handler, name, role
    if previous != name:
        act.say("assigned", previous_handler=previous, clause="CG-13", by=act.by.username)


def wait(act: Act) -> None:
    """Nothing can be done before the customer has done their part; the clocks that the pack names stand still."""
    act.note = act.body["for"]


def resume(act: Act) -> str:
    """The customer has; the case goes on where it stood."""
    assert act.case.waiting_from is not None  # noqa: S101 - a waiting case knows where it came from
    return act.case.waiting_from


def withdraw(act: Act) -> None:
    """The customer takes it back."""
    act.note, act.case.outcome = act.body["reason"], "withdrawn"


def unfounded(act: Act) -> None:
    """It has no ground: the customer is answered politely and asked for their opinion all the same (LQ-08)."""
    act.note, act.case.founded = act.body["reason"], False


def hand_up(act: Act) -> None:
    """The handler can't solve it within their authority: the next role has it, one level up (FR-02)."""
    act.note = act.body["reason"]
    level = min(act.case.level + 1, max(rule.level for rule in act.policy.levels))
    escalate(
        act.context, act.case, reason=act.body["reason"], clause=act.policy.escalation.clause, policy=act.policy,
        at=act.at, by=act.by.username, level=level,
    )  # fmt: skip
    act.data = {"to": act.case.handler, "role": act.case.handler_role, "level": act.case.level}


def reopen(act: Act) -> None:
    """A superior takes a closed case up again, within the pack's time: its next round, at its level."""
    case, rule = act.case, act.policy.reopening
    assert case.closed_at is not None  # noqa: S101 - the table reopens what is closed
    if rule.within.after(case.closed_at, act.policy.company.time_zone) < act.at:
        raise Conflict("this case was closed too long ago to be reopened: record a new one", clause=rule.clause)
    from complaint.satisfaction.rounds import open_round  # noqa: PLC0415 - satisfaction's effects import cases

    act.note = act.body["reason"]
    case.round += 1
    case.outcome, case.satisfaction, case.resolved_at, case.cause = None, None, None, None
    case.approval_needed, case.proposed_by = False, None
    open_round(act.session, case, act.at)


def _role_for(act: Act, roles: frozenset[str] | list[str]) -> str | None:
    """In which role of the ladder somebody would have the case: the lowest of theirs that reaches its level."""
    needed = from_role(act.policy, act.policy.level(act.case.level).handler)
    return next((role for role in needed if role in roles), None)
