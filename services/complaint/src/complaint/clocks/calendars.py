"""The company's calendar as it is now, kept in memory until a year is imported or the company's hours change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.policies.company import Company
from chassis.timing.calendar import WorkingCalendar
from chassis.timing.published import CalendarYearRow, calendar_of

_MOST = 32
_kept: dict[Any, WorkingCalendar] = {}


def calendar_now(session: Session, company: Company) -> WorkingCalendar:
    """The calendar over everything imported so far; costs one small query."""
    imported = select(func.count(), func.max(CalendarYearRow.imported_at)).select_from(CalendarYearRow)
    state = session.execute(imported).one()
    key = (session.get_bind().engine.url, *state, company.time_zone.key, company.working_hours, company.calendar)
    calendar = _kept.get(key)
    if calendar is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        calendar = _kept[key] = calendar_of(session, company)
    return calendar
