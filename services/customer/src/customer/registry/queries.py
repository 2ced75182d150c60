"""Reading the registry: one customer by one statement, lists by keyset on the index that serves the filter."""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import Select, Text, and_, bindparam, exists, func, select, text
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.people import UnitRow
from chassis.policies.book import Policy
from chassis.storage.reading import RowReader
from chassis.web import Page, glimpse
from chassis.web.principal import Principal
from customer.registry import domain
from customer.registry.state import GRADE, segment_view, view
from customer.registry.tables import CustomerChangeRow, CustomerRow, IdentityRow
from customer.segmentation.tables import SegmentRow
from customer.units import below, seen_by, sees_all

_C = CustomerRow.__table__.c
_S = SegmentRow.__table__.c
_UNSHOWN = {"haystack", "terms"}

_SEGMENTS = (
    select(
        func.coalesce(
            func.jsonb_object_agg(
                _S.scheme,
                func.jsonb_build_array(_S.value, _S.since, _S.score, _S.run_id, _S.clause, _S.policyversion, _S.detail),
            ),
            text("'{}'::jsonb"),
        )
    )
    .where(_S.customer_id == _C.id)
    .scalar_subquery()
    .label("segments")
)
ONE = select(*(column for column in _C if column.name not in _UNSHOWN), _SEGMENTS)
One = namedtuple("One", [column.name for column in ONE.selected_columns])  # type: ignore[misc]  # names are the table's


# The hottest read of the service, past the session; and the same for those who see only a part of the company.
_GLIMPSE = RowReader(ONE.where(_C.id == bindparam("id")))
_BELOW = select(UnitRow.code).where(func.starts_with(UnitRow.path, bindparam("below", type_=Text)))
_GLIMPSE_BELOW = RowReader(ONE.where(_C.id == bindparam("id"), _C.unit.in_(_BELOW)))


def glimpse_customer(policy: Policy, principal: Principal, customer_id: UUID) -> dict[str, Any]:
    """As ``read_customer``, for the request that asks for nothing else."""
    if sees_all(principal):
        row = glimpse(_GLIMPSE, id=customer_id)
    else:
        row = glimpse(_GLIMPSE_BELOW, id=customer_id, below=principal.unit_path)
    if row is None:
        raise NotFound("There is no such customer")
    return shown(One(**row), policy, principal)


def read_customer(session: Session, policy: Policy, principal: Principal, customer_id: UUID) -> dict[str, Any]:
    """The resource ``customers/{id}``. Raises NotFound, also for those outside the caller's units."""
    row = session.execute(_visible(ONE.where(_C.id == customer_id), principal)).first()
    if row is None:
        raise NotFound("There is no such customer")
    return shown(row, policy, principal)


def shown(row: Any, policy: Policy, principal: Principal) -> dict[str, Any]:
    """A row of ``ONE`` as this caller may see it."""
    segments = {scheme: segment_view(*values) for scheme, values in row.segments.items()}
    return view(row, segments, policy, contacts=principal.may("customers:contacts"))


def require_visible(session: Session, principal: Principal, customer_id: UUID) -> None:
    """Raises NotFound unless the caller may know of this customer."""
    if session.execute(_visible(select(_C.id).where(_C.id == customer_id), principal)).first() is None:
        raise NotFound("There is no such customer")


def recognise(session: Session, phone: str) -> UUID | None:
    """The one active customer who is reached under a number, however written; None also where several share it."""
    try:
        number = domain.phone_number(phone)
    except ValueError:
        return None
    terms = domain.sameness_terms([number], [], None, "")
    holders = select(_C.id).where(_C.terms.contains(terms), _C.status == "active")
    found = session.scalars(holders.limit(2)).all()
    return found[0] if len(found) == 1 else None


def list_customers(
    session: Session, policy: Policy, principal: Principal, now: datetime, query: Mapping[str, Any]
) -> dict[str, Any]:
    """One page of the customers that meet every filter, oldest first."""
    statement = _filtered(_visible(ONE, principal), policy, now, query)
    order = [_C.confirmed_at, _C.id] if query.get("stale") else [_C.id]
    return Page.of(
        session, statement, order, query["limit"], query["cursor"], lambda row: shown(One(*row), policy, principal)
    )


def list_history(session: Session, customer_id: UUID, query: Mapping[str, Any]) -> dict[str, Any]:
    """One page of a customer's changes, newest first."""
    c = CustomerChangeRow.__table__.c
    names = ("field", "old", "new", "by", "collected_by", "department", "collected_at", "why", "at", "version")
    statement = select(*(c[name] for name in names)).where(c.customer_id == customer_id)
    if query.get("field"):
        statement = statement.where(c.field == query["field"])
    return Page.of(
        session,
        statement,
        [c.id.desc()],
        query["limit"],
        query["cursor"],
        lambda row: dict(zip(names, row, strict=True)),
    )


def list_identities(session: Session, customer_id: UUID, limit: int, cursor: str | None) -> dict[str, Any]:
    """One page of a customer's identities."""
    c = IdentityRow.__table__.c
    statement = select(c.identity, c.linked_at, c.linked_by).where(c.customer_id == customer_id)

    def dump(row: Any) -> dict[str, Any]:
        scheme, _, value = row[0].partition(":")
        return {"scheme": scheme, "value": value, "linked_at": row[1], "linked_by": row[2]}

    return Page.of(session, statement, [c.identity], limit, cursor, dump)


def _visible(statement: Select[Any], principal: Principal) -> Select[Any]:
    condition = seen_by(principal, _C.unit)
    return statement if condition is None else statement.where(condition)


def _filtered(statement: Select[Any], policy: Policy, now: datetime, query: Mapping[str, Any]) -> Select[Any]:
    for name in ("kind", "status", "owner"):
        if query.get(name):
            statement = statement.where(_C[name] == query[name])
    if query.get("q"):
        terms, needle = domain.search_terms(query["q"])
        escaped = needle.replace("\\", r"\\").replace("%", r"\%").replace("_", r"\_")
        statement = statement.where(_C.terms.contains(terms), _C.haystack.like(f"%{escaped}%"))
    if query.get("identity"):
        holder = select(IdentityRow.customer_id).where(IdentityRow.identity == query["identity"])
        statement = statement.where(_C.id == holder.scalar_subquery())
    if query.get("ids"):
        statement = statement.where(_C.id.in_(_ids(query["ids"])))
    if query.get("unit"):
        statement = statement.where(_C.unit.in_(below(query["unit"])))
    if query.get("standing"):
        statement = statement.where(_C.trade == query["standing"])
    if query.get("tag"):
        statement = statement.where(_C.tags.contains([query["tag"]]))
    if query.get("stale"):
        zone = policy.rules.company.time_zone
        statement = statement.where(_C.confirmed_at < policy.rules.facts.stale_after.before(now, zone))
    if query.get("grade"):
        statement = statement.where(_has_grade(query["grade"], policy.rules.grade_scheme.otherwise))
    if query.get("class_"):
        scheme, parted, value = query["class_"].partition(":")
        if not parted:
            raise Invalid("The query is not understood", {"class": ["write scheme:value, e.g. frequency:high"]})
        statement = statement.where(_in_segment(scheme, value))
    return statement


def _ids(written: str) -> list[UUID]:
    try:
        return [UUID(one) for one in written.split(",")]
    except ValueError:
        raise Invalid("The query is not understood", {"ids": ["ids with commas between"]}) from None


def _in_segment(scheme: str, value: str) -> Any:
    return exists().where(and_(_S.customer_id == _C.id, _S.scheme == scheme, _S.value == value))


def _has_grade(grade: str, otherwise: str) -> Any:
    """Whom no run has graded has the entry grade. Nearly everybody has it: the list is read in order, not joined."""
    if grade != otherwise:
        return _in_segment(GRADE, grade)
    given = select(_S.value).where(_S.customer_id == _C.id, _S.scheme == GRADE).scalar_subquery()
    return func.coalesce(given, otherwise) == otherwise
