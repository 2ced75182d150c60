"""One case read in one statement, past the session: itself, its customer, clocks and rounds, and what else decides who
may see it and do what. A second statement is asked only where a case is hidden from somebody or repeats another.

The rows are no ORM objects, but carry the same names: whoever shows or judges a case takes either.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from types import SimpleNamespace
from typing import Any

from sqlalchemy import DateTime, ScalarSelect, bindparam, exists, func, literal_column, select
from sqlalchemy.dialects.postgresql import aggregate_order_by

from chassis.errors import NotFound
from chassis.people import StaffRow
from chassis.storage.reading import RowReader
from chassis.web import glimpse
from chassis.web.work import Work
from complaint.base import Base
from complaint.cases.showing import Whole
from complaint.cases.standing import Beside, waiting_for_approval
from complaint.cases.tables import Complaint, CustomerCopy
from complaint.cases.visibility import asked_to_approve, may_see
from complaint.clocks import showing as clocks
from complaint.clocks.calendars import IMPORTED, calendar_now
from complaint.clocks.tables import Clock
from complaint.resolution.tables import Proposal
from complaint.satisfaction import rounds
from complaint.satisfaction.tables import Round

_ID: Any = bindparam("id")
_NOT_SHOWN = frozenset({"grams", "queue_late", "queue_due", "queue_level", "grade_rank", "complainant_key"})


def _rows(table: type[Base], *order: Any) -> ScalarSelect[Any]:
    """All rows of a table that belong to the case, as one JSON array."""
    row = func.to_json(literal_column(table.__tablename__))
    found = select(func.json_agg(aggregate_order_by(row, *order))).select_from(table)
    return found.where(table.__table__.c.complaint_id == _ID).scalar_subquery()


_handler = select(StaffRow.state).where(StaffRow.username == Complaint.handler).limit(1).scalar_subquery()
_may_approve = waiting_for_approval().where(Proposal.complaint_id == _ID).limit(1).scalar_subquery()
_asked = exists(asked_to_approve(bindparam("caller")).where(Proposal.complaint_id == _ID))
_columns: list[Any] = [column for column in Complaint.__table__.columns if column.name not in _NOT_SHOWN]
_CASE = RowReader(
    select(
        *_columns,
        CustomerCopy.name.label("its_customer"),
        CustomerCopy.grade.label("its_grade"),
        _rows(Clock, *clocks.ORDER).label("clocks"),
        _rows(Round, Round.round).label("rounds"),
        IMPORTED.label("imported"),
        _handler.label("its_handler"),
        _may_approve.label("may_approve"),
        _asked.label("asked"),
    )
    .outerjoin(CustomerCopy, CustomerCopy.id == Complaint.customer_id)
    .where(Complaint.id == _ID)
)


def _instants(table: type[Base]) -> tuple[str, ...]:
    return tuple(column.name for column in table.__table__.columns if isinstance(column.type, DateTime))


_INSTANTS: dict[type[Base], tuple[str, ...]] = {table: _instants(table) for table in (Clock, Round)}


def _read(table: type[Base], row: Mapping[str, Any]) -> Any:
    """A row that came as JSON, its instants as instants again."""
    found = SimpleNamespace(**row)
    for name in _INSTANTS[table]:
        if (told := row[name]) is not None:
            setattr(found, name, datetime.fromisoformat(told))
    return found


def glimpse_case(at: Work, complaint_id: uuid.UUID) -> Whole:
    """One case as the caller is shown it. Raises NotFound also for one that the caller must not know of."""
    row = glimpse(_CASE, id=complaint_id, caller=at.principal.username)
    case: Any = SimpleNamespace(**row) if row else None
    if row is None or not may_see(at.session, at.principal, case, asked=row["asked"]):
        raise NotFound(f"no complaint {complaint_id}")
    customer: Any = SimpleNamespace(name=row["its_customer"], grade=row["its_grade"]) if row["its_customer"] else None
    now, company = at.clock.now(), at.policies.in_force().company
    calendar = calendar_now(at.session, company, row["imported"])
    return Whole(
        case,
        customer,
        [clocks.one_shown(_read(Clock, one), now, calendar) for one in row["clocks"] or ()],
        [rounds.one_shown(_read(Round, one)) for one in row["rounds"] or ()],
        Beside(row["its_handler"], row["may_approve"] or ()),
    )
