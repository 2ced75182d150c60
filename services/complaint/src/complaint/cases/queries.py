"""What is read of cases: the queue, the search, the counts. Everything here asks ``visible`` first."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, false, func, or_, select
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.people import UnitRow
from chassis.web.principal import Principal
from complaint.cases.recognising import contact_keys, grams
from complaint.cases.tables import Complaint, CustomerCopy
from complaint.cases.visibility import may_see, visible

QUEUE = (Complaint.queue_late, Complaint.queue_due, Complaint.queue_level, Complaint.grade_rank, Complaint.id)
NEWEST = (Complaint.id.desc(),)
MOST_CUSTOMERS = 200  # a name that more customers bear finds the first so many
EQUAL = (
    "status", "type", "level", "handler", "category", "channel", "customer_id", "breached", "executive", "outcome",
    "approval_needed",
)  # fmt: skip


def listing(
    session: Session, principal: Principal, query: Mapping[str, Any], keys: Sequence[str]
) -> tuple[Select[Any], Sequence[Any]]:
    """The cases a caller may know of that a query asks for, and the order they stand in.

    The queue holds open cases: breached, due soonest, level, and then the customer's grade (AD-07).
    """
    found = select(Complaint).where(visible(session, principal))
    for name in EQUAL:
        if query[name] is not None:
            found = found.where(getattr(Complaint, name) == query[name])
    if query["open"] is not None:
        found = found.where(Complaint.closed_at.is_(None) if query["open"] else Complaint.closed_at.is_not(None))
    if query["unit"] is not None:
        found = found.where(_in_unit(session, query["unit"]))
    if query["q"] is not None:
        found = found.where(_matches(session, query["q"], keys))
    if query["order"] == "newest":
        return found, NEWEST
    if query["open"] is False:
        raise Invalid("closed cases stand in no queue", {"order": ["queue holds open cases"]})
    return found.where(Complaint.closed_at.is_(None)), QUEUE


def _in_unit(session: Session, code: str) -> ColumnElement[bool]:
    """The unit and those below it; a code that no unit has may still stand on a case, as it was said."""
    path = session.scalar(select(UnitRow.path).where(UnitRow.code == code))
    if path is None:
        return and_(Complaint.unit == code, Complaint.unit_path == "/")
    return and_(Complaint.unit_path >= path, Complaint.unit_path < path[:-1] + "0")


def _matches(session: Session, text: str, keys: Sequence[str]) -> ColumnElement[bool]:
    sought = grams(text)
    contacts = contact_keys(keys, [text], [text] if "@" in text else [])
    ways: list[ColumnElement[bool]] = []
    if sought:
        ways.append(Complaint.grams.contains(sought))
    if contacts:
        ways.append(Complaint.complainant_key.in_(contacts))
    if customers := _customers(session, sought, contacts):
        ways.append(Complaint.customer_id.in_(customers))
    return or_(*ways) if ways else false()


def _customers(session: Session, sought: list[str], contacts: list[str]) -> list[uuid.UUID]:
    ways = []
    if sought:
        ways.append(CustomerCopy.grams.contains(sought))
    if contacts:
        ways.append(CustomerCopy.contact_keys.overlap(contacts))
    return list(session.scalars(select(CustomerCopy.id).where(or_(*ways)).limit(MOST_CUSTOMERS))) if ways else []


def counts(session: Session, principal: Principal, end_of_today: datetime) -> dict[str, Any]:
    """How many open cases there are for this caller, by state and by level."""
    rows = session.execute(
        select(
            Complaint.status,
            Complaint.level,
            func.count(),
            func.count().filter(Complaint.breached),
            func.count().filter(Complaint.next_due_at < end_of_today),
            func.count().filter(Complaint.handler == principal.username),
        )
        .where(Complaint.closed_at.is_(None), visible(session, principal))
        .group_by(Complaint.status, Complaint.level)
    ).all()
    by_status: dict[str, int] = {}
    by_level = {"1": 0, "2": 0, "3": 0}
    for status, level, number, *_ in rows:
        by_status[status] = by_status.get(status, 0) + number
        by_level[str(level)] += number
    return {
        "open": sum(row[2] for row in rows),
        "breached": sum(row[3] for row in rows),
        "due_today": sum(row[4] for row in rows),
        "mine": sum(row[5] for row in rows),
        "by_status": by_status,
        "by_level": by_level,
    }


def the_case(session: Session, principal: Principal, complaint_id: uuid.UUID) -> Complaint:
    """One case. Raises NotFound also for one that the caller must not know of."""
    case = session.get(Complaint, complaint_id)
    if case is None or not may_see(session, principal, case):
        raise NotFound(f"no complaint {complaint_id}")
    return case


def customers_of(session: Session, cases: Collection[Complaint]) -> dict[uuid.UUID, CustomerCopy]:
    """The customers of these cases."""
    ids = {case.customer_id for case in cases if case.customer_id is not None}
    found = session.scalars(select(CustomerCopy).where(CustomerCopy.id.in_(ids))) if ids else ()
    return {customer.id: customer for customer in found}
