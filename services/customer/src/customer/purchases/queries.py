"""Reading purchases: lists for staff, and one purchase for the publisher who wants to know what became of it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from sqlalchemy import Select, func, or_, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.messaging.dead_letters import DeadLetter
from chassis.people import UnitRow
from chassis.web import Page
from chassis.web.principal import Principal
from customer.purchases.domain import REJECTED, WAITING
from customer.purchases.tables import PurchaseRow, RefundRow, RefusedPurchaseRow, StoreRow
from customer.units import seen_by

_DEAD_LETTERS_SEARCHED = 2000
_P = PurchaseRow.__table__.c
_NAMES = (
    "purchase_id", "status", "customer_id", "identity", "occurred_at", "store", "channel", "currency", "total",
    "refunded", "source", "event_id", "received_at",
)  # fmt: skip
# Said here, or by the organisation tree: a unit names the stores that mean it, and its own code is one of them.
_TOLD_UNIT = (
    select(UnitRow.code)
    .where(or_(UnitRow.code == StoreRow.code, UnitRow.state["stores"].has_key(StoreRow.code)))
    .limit(1)
    .correlate(StoreRow)
    .scalar_subquery()
)
_UNIT_OF_STORE = func.coalesce(StoreRow.unit, _TOLD_UNIT)
_UNIT = select(_UNIT_OF_STORE).where(StoreRow.code == _P.store).scalar_subquery().label("unit")
_LISTED = select(*(_P[name] for name in _NAMES), _UNIT)


def list_purchases(session: Session, principal: Principal, query: Mapping[str, Any]) -> dict[str, Any]:
    """One page, newest first. Filters keep to the index of the first of them: customer, store, status."""
    statement = _among(_LISTED, principal)
    for name in ("customer_id", "store", "status"):
        if query.get(name) is not None:
            statement = statement.where(_P[name] == query[name])
    if query.get("from_"):
        statement = statement.where(_P.occurred_at >= query["from_"])
    if query.get("to"):
        statement = statement.where(_P.occurred_at < query["to"])
    return Page.of(
        session, statement, [_P.occurred_at.desc(), _P.purchase_id.desc()], query["limit"], query["cursor"], _shown
    )


def list_unmatched(session: Session, principal: Principal, query: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the purchases that wait for their customer, oldest first."""
    statement = _among(_LISTED, principal).where(_P.status == WAITING)
    if query.get("identity"):
        statement = statement.where(_P.identity == query["identity"])
    return Page.of(session, statement, [_P.occurred_at, _P.purchase_id], query["limit"], query["cursor"], _shown)


def read_purchase(session: Session, principal: Principal, purchase_id: str) -> dict[str, Any]:
    """What became of one purchase: accepted, waiting or rejected with the reasons. Raises NotFound."""
    row = session.execute(
        _among(_LISTED.add_columns(_P.details), principal).where(_P.purchase_id == purchase_id)
    ).first()
    refused = _refusals(session, principal, purchase_id)
    if row is None:
        refused = refused or _refused_at_the_gate(session, principal, purchase_id)
        if not refused:
            raise NotFound("No such purchase has been told (yet)")
        return {"purchase_id": purchase_id, "status": REJECTED, "reason": refused[-1]["reason"], "refusals": refused}
    reason = f"waits for {row.identity} to be linked to a customer" if row.status == WAITING else None
    found = _shown(row[:-1])
    return {
        **found,
        "reason": reason,
        "details": row.details,
        "refunds": _refunds(session, purchase_id),
        "refusals": refused,
    }


def list_stores(session: Session, query: Mapping[str, Any]) -> dict[str, Any]:
    """One page of the stores that told purchases; ``known=false``: those without a unit (decision 31)."""
    c = StoreRow.__table__.c
    statement = select(c.code, _UNIT_OF_STORE.label("unit"), c.first_seen_at)
    if query.get("known") is not None:
        statement = statement.where(_UNIT_OF_STORE.is_not(None) if query["known"] else _UNIT_OF_STORE.is_(None))
    names = ("code", "unit", "first_seen_at")
    return Page.of(
        session, statement, [c.code], query["limit"], query["cursor"], lambda row: dict(zip(names, row, strict=True))
    )


def _among(statement: Select[Any], principal: Principal) -> Select[Any]:
    """API keys read what their own sources told, staff what happened in their units."""
    if principal.kind == "api_key":
        return statement.where(_P.source.in_(sorted(principal.sources)))
    condition = seen_by(principal, _UNIT_OF_STORE)
    if condition is None:
        return statement
    return statement.where(_P.store.in_(select(StoreRow.code).where(condition)))


def _shown(row: Any) -> dict[str, Any]:
    shown = dict(zip((*_NAMES, "unit"), row, strict=True))
    return {**shown, "total": _money(shown["total"]), "refunded": _money(shown["refunded"])}


def _money(value: Any) -> str:
    """Two decimals, more only where they say something."""
    text = format(value.normalize(), "f")
    whole, _, cents = text.partition(".")
    return f"{whole}.{cents:0<2}"


def _refunds(session: Session, purchase_id: str) -> list[dict[str, Any]]:
    c = RefundRow.__table__.c
    names = ("refund_id", "status", "reason", "occurred_at", "total", "source", "event_id")
    rows = session.execute(
        select(*(c[name] for name in names)).where(c.purchase_id == purchase_id).order_by(c.refund_id)
    )
    return [{**dict(zip(names, row, strict=True)), "total": _money(row.total)} for row in rows]


def _refusals(session: Session, principal: Principal, purchase_id: str) -> list[dict[str, Any]]:
    c = RefusedPurchaseRow.__table__.c
    statement = select(c.source, c.event_id, c.reason, c.at).where(c.purchase_id == purchase_id).order_by(c.id)
    if principal.kind == "api_key":
        statement = statement.where(c.source.in_(sorted(principal.sources)))
    return [dict(row._mapping) for row in session.execute(statement)]


def _refused_at_the_gate(session: Session, principal: Principal, purchase_id: str) -> list[dict[str, Any]]:
    """What never reached this service's rules lies among the newest dead letters, by whatever it said of itself."""
    d = DeadLetter.__table__.c
    recent = select(d.source, d.event_id, d.reason, d.last_at, d.body).where(d.type.startswith("purchase."))
    if principal.kind == "api_key":
        recent = recent.where(d.source.in_(sorted(principal.sources)))
    newest = recent.order_by(d.last_at.desc(), d.id.desc()).limit(_DEAD_LETTERS_SEARCHED).subquery()
    holding = func.pg_catalog.position(newest.c.body, purchase_id.encode()) > 0
    return [
        {"source": row.source, "event_id": row.event_id, "reason": row.reason, "at": row.last_at}
        for row in session.execute(select(newest).where(holding).order_by(newest.c.last_at))
        if _named(row.body) == purchase_id
    ]


def _named(body: bytes) -> str | None:
    try:
        data = orjson.loads(body).get("data")
    except (orjson.JSONDecodeError, AttributeError):
        return None
    return data.get("purchase_id") if isinstance(data, dict) else None
