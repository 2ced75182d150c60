"""Who may know of a case: the retaliation guard, and then the caller's units (TR-11, decision 13).

Every list, count, search, report and single read asks here. What is hidden answers as if it did not exist.
"""

from __future__ import annotations

from sqlalchemy import ColumnElement, and_, literal, or_
from sqlalchemy.orm import Session

from chassis.people.guard import Viewer, viewer
from chassis.web.principal import Principal
from complaint.cases.tables import Complaint


def visible(session: Session, principal: Principal) -> ColumnElement[bool]:
    """The condition on ``Complaint`` for everything this caller may know of."""
    return and_(viewer(session, principal).sees(Complaint), _within(principal))


def may_see(session: Session, principal: Principal, case: Complaint, eyes: Viewer | None = None) -> bool:
    """The same, of one case at hand."""
    if not (eyes or viewer(session, principal)).may_see_row(case):
        return False
    mine = principal.username in (case.handler, case.created_by)
    return mine or principal.kind == "system" or principal.sees_unit(case.unit_path)


def _within(principal: Principal) -> ColumnElement[bool]:
    if principal.kind == "system" or principal.unit_path == "/":
        return literal(True)
    top = principal.unit_path
    return or_(
        # the column is compared byte by byte: "0" follows "/", so this range is the unit and everything below it
        and_(Complaint.unit_path >= top, Complaint.unit_path < top[:-1] + "0"),
        Complaint.handler == principal.username,
        Complaint.created_by == principal.username,
    )
