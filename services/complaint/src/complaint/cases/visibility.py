"""Who may know of a case: the retaliation guard, and then the caller's units (TR-11, decision 13).

Every list, count, search, report and single read asks here. What is hidden answers as if it did not exist.
"""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import ColumnElement, Select, and_, literal, or_, select
from sqlalchemy.orm import Session

from chassis.people.guard import viewer
from chassis.web.principal import Principal
from complaint.cases.tables import Complaint
from complaint.resolution.tables import Proposal


def visible(session: Session, principal: Principal) -> ColumnElement[bool]:
    """The condition on ``Complaint`` for everything this caller may know of."""
    return and_(viewer(session, principal).sees(Complaint), _within(principal))


def may_see(session: Session, principal: Principal, case: Complaint, asked: bool | None = None) -> bool:
    """The same, of one case at hand. ``asked``: whether a proposal of it waits for the caller, where that is known."""
    guarded = case.hidden_alone or case.hidden_with_subordinates
    if guarded and not viewer(session, principal).may_see_row(case):
        return False
    mine = principal.username in (case.handler, case.created_by)
    if mine or principal.kind == "system" or principal.sees_unit(case.unit_path):
        return True
    if asked is not None:
        return asked
    return session.scalar(asked_to_approve(principal.username).where(Proposal.complaint_id == case.id)) is not None


def _within(principal: Principal) -> ColumnElement[bool]:
    if principal.kind == "system" or principal.unit_path == "/":
        return literal(True)
    top = principal.unit_path
    return or_(
        # the column is compared byte by byte: "0" follows "/", so this range is the unit and everything below it
        and_(Complaint.unit_path >= top, Complaint.unit_path < top[:-1] + "0"),
        Complaint.handler == principal.username,
        Complaint.created_by == principal.username,
        Complaint.id.in_(asked_to_approve(principal.username)),
    )


def asked_to_approve(username: Any) -> Select[tuple[uuid.UUID]]:
    """The cases whose proposal was routed to somebody: who shall decide must see, also from another unit."""
    found: Select[tuple[uuid.UUID]] = select(Proposal.complaint_id)
    return found.where(Proposal.approver == username, Proposal.status == "needs_approval")
