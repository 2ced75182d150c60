"""What a clock does when its time comes: it warns, is breached, hands the case up. Each once, whoever is alive.

The due row and everything done for it are one transaction (``chassis.timing.due``); what was done is noted on the
clock, so that a row that comes twice finds nothing left to do.
"""

from __future__ import annotations

import uuid
from datetime import datetime

from sqlalchemy import select

from chassis import jobs
from chassis.runtime import Context
from chassis.service import Schedule
from chassis.timing import due
from chassis.timing.calendar import WorkingCalendar
from chassis.timing.due import DueRow
from complaint.cases.acting import announce_case
from complaint.cases.assignment import escalate
from complaint.cases.lifecycle import FINAL
from complaint.cases.tables import Complaint
from complaint.clocks.calendars import calendar_now
from complaint.clocks.recomputing import JOB, recompute_provisional, recompute_step
from complaint.clocks.tables import Clock
from complaint.clocks.use_cases import KIND, MISSED, RUNNING, breach, keep, open_clocks, soon, told
from complaint.policy import ComplaintPolicy


def look_at_clocks(context: Context, row: DueRow) -> None:
    """Do everything that the clocks of one case want by now.

    The case is never waited for: who holds it may be waiting for this very row.
    """
    session, now = context.session, context.clock.now()
    held = select(Complaint).where(Complaint.id == uuid.UUID(row.key)).with_for_update(skip_locked=True)
    case = session.scalar(held.execution_options(populate_existing=True))
    if case is None:
        if session.scalar(select(Complaint.id).where(Complaint.id == uuid.UUID(row.key))) is not None:
            due.schedule(session, KIND, row.key, soon(now))
        return
    policy: ComplaintPolicy = context.policies.in_force().rules
    clocks = open_clocks(session, case.id)
    calendar = calendar_now(session, policy.company)
    with session.no_autoflush:  # one UPDATE of the case for all that is said of it
        for clock in sorted(clocks, key=lambda one: (one.due_at, one.id)):
            _look(context, case, clock, now, policy, calendar)
        keep(session, case, clocks)


def _look(
    context: Context,
    case: Complaint,
    clock: Clock,
    now: datetime,
    policy: ComplaintPolicy,
    calendar: WorkingCalendar,
) -> None:
    """Warn before the breach is told, however late anybody looks."""
    if clock.status == RUNNING and clock.warned_at is None and clock.warn_at <= now:
        _warn(context, case, clock, now)
    if clock.status == RUNNING and clock.due_at <= now:
        breach(context, case, clock, now, calendar)
        clock.escalate_at = _escalates_at(case, clock, now, policy, calendar)
    if _escalation_is_due(clock, now):
        _escalate(context, case, clock, now, policy)


def _warn(context: Context, case: Complaint, clock: Clock, at: datetime) -> None:
    clock.warned_at = at
    announce_case(context, case, "due_soon", key=str(clock.id), at=at, clock=told(clock), clause=clock.clause)


def _escalates_at(
    case: Complaint, clock: Clock, at: datetime, policy: ComplaintPolicy, calendar: WorkingCalendar
) -> datetime | None:
    """Now; at night when the company opens, unless it is a matter of safety."""
    if not clock.escalates:
        return None
    return calendar.next_opening(at) if policy.escalation.waits(case.category) else at


def _escalation_is_due(clock: Clock, at: datetime) -> bool:
    waits = clock.escalate_at is not None and clock.escalated_at is None
    return clock.status == MISSED and waits and clock.escalate_at is not None and clock.escalate_at <= at


def _escalate(context: Context, case: Complaint, clock: Clock, at: datetime, policy: ComplaintPolicy) -> None:
    """The next role has the case; the clock goes on until what it is for is done."""
    clock.escalated_at = at
    if case.status in FINAL:
        return
    reason = f"the clock {clock.kind} of round {clock.round} was missed: {clock.explanation.rpartition('; ')[2]}"
    escalate(context, case, reason=reason, clause=policy.escalation.clause, policy=policy, at=at)


DUE = {KIND: look_at_clocks, f"job:{JOB}": jobs.runs(recompute_step)}
SCHEDULES = (Schedule("recompute-clocks", "* * * * *", recompute_provisional),)
