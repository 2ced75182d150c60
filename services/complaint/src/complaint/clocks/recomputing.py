"""Clocks that reach into a year nobody had published: exact as soon as it is (decision 21).

Every minute, and at once after an import over HTTP: it doesn't matter who put the year into the database.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.jobs import JobRow
from chassis.runtime import Context
from chassis.timing.calendar import WorkingCalendar
from complaint.cases.tables import Complaint
from complaint.clocks.calendars import calendar_now
from complaint.clocks.tables import Clock
from complaint.clocks.use_cases import PAUSED, RUNNING, keep, open_clocks, retime

JOB = "recompute-clocks"
STEP = 200  # cases


def recompute_step(context: Context, job: JobRow) -> bool:
    """One step as a job that somebody may follow."""
    calendar = calendar_now(context.session, context.policies.in_force().company)
    if job.total is None:
        job.total = _stale(context.session, calendar)
    job.done += recompute(context)
    if _stale(context.session, calendar):
        return True
    job.result = {"cases": job.done}
    return False


def recompute_provisional(context: Context) -> bool:
    """One step of the schedule; True while more is to be done."""
    return recompute(context) == STEP


def recompute(context: Context) -> int:
    """Compute the provisional clocks of some cases again with the calendar as it is now; how many cases had any."""
    session = context.session
    calendar = calendar_now(session, context.policies.in_force().company)
    stale = select(Clock.complaint_id).where(*_are_stale(calendar))
    cases = session.scalars(
        select(Complaint)
        .where(Complaint.id.in_(stale))
        .order_by(Complaint.id)
        .limit(STEP)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for case in cases:
        clocks = open_clocks(session, case.id)
        for clock in clocks:
            if clock.provisional and clock.status in (RUNNING, PAUSED):
                retime(clock, calendar)
        keep(session, case, clocks)
    return len(cases)


def _are_stale(calendar: WorkingCalendar) -> tuple[Any, ...]:
    return (
        Clock.provisional,
        Clock.ended_at.is_(None),
        Clock.status.in_((RUNNING, PAUSED)),
        Clock.calendar != calendar.version,
    )


def _stale(session: Session, calendar: WorkingCalendar) -> int:
    found = select(func.count(Clock.complaint_id.distinct())).where(*_are_stale(calendar))
    return session.scalar(found) or 0
