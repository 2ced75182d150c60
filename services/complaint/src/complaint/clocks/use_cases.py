"""Starting, meeting, pausing and ending clocks as a case moves on; promises.

``follow`` is called in the transaction of every change of a case, under the case's lock. A case has one due row, set
to the next instant at which one of its clocks wants something (``due.py``): so no two pollers ever work on one case.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid
from chassis.ids import uuid7
from chassis.policies.units import parse_duration
from chassis.runtime import Context
from chassis.timing import due
from chassis.timing.calendar import WorkingCalendar
from chassis.timing.due import DueRow
from chassis.web.fields import instant
from complaint.cases.tables import Complaint
from complaint.clocks import course, domain
from complaint.clocks.calendars import calendar_now
from complaint.clocks.tables import Clock
from complaint.policy import ClockRule, ComplaintPolicy

KIND = "complaint-clocks"  # the kind of the due rows; their key is the complaint's id
PROMISE = "promise"
RUNNING, PAUSED, MET, MISSED, STOPPED = "running", "paused", "met", "missed", "stopped"
SHOWN = {MISSED: "breached"}


def follow(context: Context, case: Complaint, action: str, at: datetime, policy: ComplaintPolicy) -> None:
    """Let the clocks of a case follow an action that has just been done at ``at``."""
    session = context.session
    words = course.heard(action, case.status, approval_needed=case.approval_needed)
    running = open_clocks(session, case.id)
    calendar = calendar_now(session, policy.company)
    if action == "wait":
        _pause(running, at, policy)
    if case.status != "waiting_for_customer":
        _resume(running, at, calendar)
    met: set[str] = set()
    for clock in running:
        rule = policy.clocks.get(clock.kind)
        if rule is not None and course.meets(rule, words):
            met.add(clock.kind)
            _end(context, case, clock, at, calendar, MET)
        elif rule is None or course.ends(rule, words):
            _end(context, case, clock, at, calendar, STOPPED)
        elif clock.level < case.level:
            _raise(clock, rule, case.level, at, calendar)
    version = context.policies.in_force(at).version
    begun = _begun(case, words, met, running, at, calendar, policy, version)
    session.add_all(begun)
    keep(session, case, [*running, *begun])


def begin(
    case: Complaint, policy: ComplaintPolicy, policyversion: str, calendar: WorkingCalendar
) -> tuple[list[Clock], list[DueRow]]:
    """The clocks of a new case, which count from when it was received, and its due row; nothing is written yet."""
    words = course.heard("receive", case.status, approval_needed=False)
    begun = _begun(case, words, (), (), case.received_at, calendar, policy, policyversion)
    wanted = level_with(case, begun)
    return begun, [] if wanted is None else [due.new_row(KIND, str(case.id), wanted)]


def _begun(
    case: Complaint,
    words: frozenset[str],
    met: Collection[str],
    running: Collection[Clock],
    since: datetime,
    calendar: WorkingCalendar,
    policy: ComplaintPolicy,
    policyversion: str,
) -> list[Clock]:
    begun = []
    for rule in policy.clocks.values():
        word = course.begins(rule, words, rule.kind in met)
        if word is not None and rule.speaks_of(case.type, case.channel):
            last = max(
                (one.sequence for one in running if one.kind == rule.kind and one.round == case.round), default=0
            )
            begun.append(_started(case, rule, word, since, last + 1, calendar, policyversion))
    return begun


def promise(
    context: Context, case: Complaint, due_at: datetime, reason: str, by: str, at: datetime, policy: ComplaintPolicy
) -> Clock:
    """Give the customer a date (CG-15). A new promise takes the place of the one before, which stays for the record.

    Raises Invalid for a date that lies in the past, Conflict where the same date is promised already.
    """
    if due_at <= at:
        raise Invalid("a promise is about the future", {"due_at": ["must lie in the future"]})
    session, calendar = context.session, calendar_now(context.session, policy.company)
    running = open_clocks(session, case.id)
    before = [clock for clock in running if clock.kind == PROMISE]
    if any(clock.due_at == due_at for clock in before):
        raise Conflict("this date is promised already")
    for clock in before:
        _end(context, case, clock, at, calendar, STOPPED)
    rule = policy.clocks[PROMISE]
    timing = domain.promised(at, due_at, rule.warn_at, reason, calendar)
    given = session.scalars(
        select(Clock.sequence).where(Clock.complaint_id == case.id, Clock.kind == PROMISE, Clock.round == case.round)
    )
    clock = _row(case, rule, "promised", at, max(given, default=0) + 1, timing, context.policies.in_force().version)
    clock.promise_reason, clock.promised_by = reason, by
    session.add(clock)
    keep(session, case, [*running, clock])
    return clock


def open_clocks(session: Session, complaint_id: uuid.UUID) -> list[Clock]:
    """The clocks of a case that have not ended."""
    found = select(Clock).where(Clock.complaint_id == complaint_id, Clock.ended_at.is_(None)).order_by(Clock.id)
    return list(session.scalars(found))


def keep(session: Session, case: Complaint, clocks: Iterable[Clock]) -> None:
    """Bring what the case shows of its clocks, and its due row, level with them."""
    wanted = level_with(case, list(clocks))
    if wanted is not None:
        due.schedule(session, KIND, str(case.id), wanted)
    else:
        due.cancel(session, KIND, str(case.id))


def level_with(case: Complaint, clocks: Collection[Clock]) -> datetime | None:
    """Bring what the case shows of its clocks level with them; answers when the next of them wants something."""
    live = [clock for clock in clocks if clock.ended_at is None]
    case.next_due_at = min((clock.due_at for clock in live if clock.status != PAUSED), default=None)
    case.breached = any(clock.status == MISSED for clock in live)
    return min((at for clock in live for at in _instants(clock)), default=None)


def breach(context: Context, case: Complaint, clock: Clock, at: datetime, calendar: WorkingCalendar) -> None:
    """The time is over: noted and said once per clock."""
    from complaint.cases.acting import announce_case, record_step  # noqa: PLC0415 - acting follows the clocks

    clock.status, clock.breached_at = MISSED, at
    clock.late_seconds = late(clock, at, calendar)
    own = max(0, round(domain.spent(clock.due_at, at, calendar, working=is_working(clock))))
    record_step(
        context, case, "breach", by="system", at=at, clause=clock.clause,
        data={"clock": clock.kind, "due_at": instant(clock.due_at)},
    )  # fmt: skip
    announce_case(
        context, case, "breached", key=str(clock.id), at=at, clock=told(clock), late_seconds=own, clause=clock.clause
    )


def told(clock: Clock) -> dict[str, Any]:
    """A clock as events carry it."""
    return {
        "kind": clock.kind,
        "due_at": instant(clock.due_at),
        "status": SHOWN.get(clock.status, clock.status),
        "explanation": clock.explanation,
    }


def is_working(clock: Clock) -> bool:
    """Whether its time is counted in the company's hours."""
    within = parse_duration(clock.within) if clock.within else None
    return within is not None and within.unit in domain.WORKING


def retime(clock: Clock, calendar: WorkingCalendar) -> None:
    """Compute a clock again from its beginning, with this calendar."""
    within = parse_duration(clock.within or "")
    if within is None:
        return
    pauses = [(datetime.fromisoformat(begin), datetime.fromisoformat(end)) for begin, end in clock.pauses]
    timing = domain.timed(
        course.SAID.get(clock.started_with, clock.started_with), clock.started_at, within, clock.warn_share, calendar,
        pauses,
    )  # fmt: skip
    _set(clock, timing)


def _instants(clock: Clock) -> list[datetime]:
    """When this clock wants something done."""
    if clock.status == RUNNING:
        return [clock.due_at if clock.warned_at else min(clock.warn_at, clock.due_at)]
    if clock.status == MISSED and clock.escalated_at is None and clock.escalate_at is not None:
        return [clock.escalate_at]
    return []


def _started(
    case: Complaint,
    rule: ClockRule,
    word: str,
    since: datetime,
    sequence: int,
    calendar: WorkingCalendar,
    policyversion: str,
) -> Clock:
    within = rule.within[case.level]
    timing = domain.timed(course.SAID.get(word, word), since, within, rule.warn_at, calendar)
    clock = _row(case, rule, word, since, sequence, timing, policyversion)
    clock.within = str(within)
    return clock


def _row(
    case: Complaint,
    rule: ClockRule,
    word: str,
    since: datetime,
    sequence: int,
    timing: domain.Timing,
    policyversion: str,
) -> Clock:
    clock = Clock(
        id=uuid7(since), complaint_id=case.id, round=case.round, level=case.level, kind=rule.kind, sequence=sequence,
        status=RUNNING, started_with=word, started_at=since, warn_share=rule.warn_at, pauses=[], late_seconds=0,
        escalates=rule.escalates, policyversion=policyversion, clause=rule.clause,
    )  # fmt: skip
    _set(clock, timing)
    return clock


def _set(clock: Clock, timing: domain.Timing) -> None:
    clock.due_at, clock.warn_at, clock.budget_seconds = timing.due_at, timing.warn_at, timing.budget
    clock.explanation, clock.provisional, clock.calendar = timing.explanation, timing.provisional, timing.calendar


def _pause(clocks: Iterable[Clock], at: datetime, policy: ComplaintPolicy) -> None:
    """Only what can still be kept is paused: time that is over stays over."""
    for clock in clocks:
        if clock.kind in policy.waiting.pauses and clock.status == RUNNING and clock.due_at > at:
            clock.status, clock.paused_since = PAUSED, at


def _resume(clocks: Iterable[Clock], at: datetime, calendar: WorkingCalendar) -> None:
    for clock in clocks:
        if clock.status == PAUSED and clock.paused_since is not None:
            clock.pauses = [*clock.pauses, [clock.paused_since.isoformat(), at.isoformat()]]
            clock.status, clock.paused_since = RUNNING, None
            retime(clock, calendar)


def _raise(clock: Clock, rule: ClockRule, level: int, at: datetime, calendar: WorkingCalendar) -> None:
    """A higher level has its own times, from the beginning; where that would lie in the past, from now on."""
    clock.level = level
    within = rule.within.get(level)
    if clock.status != RUNNING or within is None or str(within) == clock.within:
        return
    clock.within = str(within)
    retime(clock, calendar)
    if clock.due_at <= at:
        clock.started_with, clock.started_at, clock.pauses = f"raised to level {level}", at, []
        retime(clock, calendar)


def _end(context: Context, case: Complaint, clock: Clock, at: datetime, calendar: WorkingCalendar, status: str) -> None:
    """A clock whose time was over before anybody looked is breached first: a stopped poller hides nothing."""
    if clock.status == PAUSED:
        clock.paused_since = None
    elif clock.breached_at is None and at > clock.due_at:
        breach(context, case, clock, at, calendar)
    clock.ended_at = at
    if status == MET:
        clock.met_at = at
    if clock.status == MISSED:
        clock.late_seconds = late(clock, at, calendar)
    else:
        clock.status = status


def late(clock: Clock, at: datetime, calendar: WorkingCalendar) -> int:
    """Seconds of working time since it was due."""
    return max(0, round(calendar.working_seconds_between(clock.due_at, at)))


def soon(at: datetime) -> datetime:
    """When to look again at a case that somebody is working on."""
    return at + timedelta(seconds=1)
