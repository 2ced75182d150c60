"""The company's calendar as it is now, kept in memory until a year is imported or the company's hours change."""

from __future__ import annotations

from typing import Any

from sqlalchemy import func, literal, select
from sqlalchemy.dialects.postgresql import aggregate_order_by
from sqlalchemy.orm import Session

from chassis.policies.company import Company
from chassis.timing.calendar import WorkingCalendar
from chassis.timing.published import IN_ORDER, CalendarYearRow, calendar_of

_MOST = 32
_kept: dict[Any, WorkingCalendar] = {}

# What was imported, in order: the same text is the same calendar, whichever database or clock it came from.
_version = func.concat(CalendarYearRow.year, ":", CalendarYearRow.hash)
IMPORTED = select(
    func.coalesce(func.string_agg(_version, aggregate_order_by(literal(" "), *IN_ORDER)), "")
).scalar_subquery()


def calendar_now(session: Session, company: Company, imported: str | None = None) -> WorkingCalendar:
    """The calendar over everything imported so far. Costs one small query, unless ``IMPORTED`` was read already."""
    if imported is None:
        imported = session.scalar(select(IMPORTED)) or ""
    key = (imported, company.time_zone.key, company.working_hours, company.calendar)
    calendar = _kept.get(key)
    if calendar is None:
        if len(_kept) >= _MOST:
            _kept.clear()
        calendar = _kept[key] = calendar_of(session, company)
    return calendar
