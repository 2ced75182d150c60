"""What an intake must know of the world before it decides, asked in one statement: the units it may belong to, what the
same person said before, and which calendar is in force.
"""

from __future__ import annotations

import uuid
from collections.abc import Collection
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import Text, any_, bindparam, func, or_, select
from sqlalchemy.dialects.postgresql import ARRAY, aggregate_order_by
from sqlalchemy.orm import Session

from chassis.people import UnitRow
from chassis.policies.company import Company
from chassis.storage.reading import RowReader
from chassis.timing.calendar import WorkingCalendar
from complaint.cases.recognising import Earlier, by_the_same_person
from complaint.clocks.calendars import IMPORTED, calendar_now


@dataclass(frozen=True)
class Surroundings:
    """As they were when the intake asked. ``units``: code → path, of those that exist; ``before``: latest first."""

    units: dict[str, str]
    before: list[Earlier]
    calendar: WorkingCalendar

    def unit_at(self, path: str) -> str | None:
        """The code of the unit at a path."""
        return next((code for code, at in self.units.items() if at == path), None)


_CODES: Any = bindparam("codes", type_=ARRAY(Text))
_units = select(func.json_object_agg(UnitRow.code, UnitRow.path)).where(
    or_(UnitRow.code == any_(_CODES), UnitRow.path == bindparam("own_path"))
)
_same = by_the_same_person().subquery("before")
_told = func.json_build_array(*(_same.c[each.name] for each in fields(Earlier)))
_before = select(func.json_agg(aggregate_order_by(_told, _same.c.received_at.desc(), _same.c.id.desc())))
_SURROUNDINGS = RowReader(
    select(
        _units.scalar_subquery().label("units"),
        _before.scalar_subquery().label("before"),
        IMPORTED.label("imported"),
    )
)


def look_around(
    session: Session, company: Company, repeats: dict[str, Any], codes: Collection[str], own_path: str | None
) -> Surroundings:
    """Ask. ``repeats``: as ``recognising.within_repeats`` tells; ``own_path``: of the unit of whoever writes."""
    asked = {**repeats, "codes": list(codes), "own_path": own_path}
    found = _SURROUNDINGS.within(session, asked)[0]
    before = [_earlier(*row) for row in found["before"] or ()]
    calendar = calendar_now(session, company, found["imported"])
    return Surroundings(found["units"] or {}, before, calendar)


def _earlier(id_: str, received_at: str, *rest: str | None) -> Earlier:
    category, subject, against_kind, against_ref = rest
    return Earlier(
        uuid.UUID(id_), datetime.fromisoformat(received_at), category, subject or "", against_kind, against_ref
    )
