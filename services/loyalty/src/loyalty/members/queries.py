"""What is read of members: one compiled statement for the hottest resource, keyset pages for the rest."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import Date, Select, bindparam, cast, func, literal_column, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.people.copy import UnitRow
from chassis.people.sight import codes_below, seen_by, sees_all
from chassis.storage.reading import RowReader
from chassis.web import Principal, glimpse
from loyalty.ledger.tables import Lot, Transaction
from loyalty.members.tables import Member

_lapsing = (
    select(
        cast(func.timezone(bindparam("zone"), Lot.expires_at - literal_column("interval '1 microsecond'")), Date).label(
            "on"
        ),
        func.sum(Lot.remaining).label("points"),
    )
    .where(Lot.member_id == bindparam("customer_id"), Lot.remaining > 0, Lot.expires_at.is_not(None))
    .group_by("on")
    .subquery()
)
_expiring = select(
    func.coalesce(
        func.json_agg(func.json_build_object("points", _lapsing.c.points, "on", _lapsing.c.on)),
        literal_column("'[]'::json"),
    )
).scalar_subquery()

# The member resource: one row by primary key with what expires when.
_member: Any = select(
    Member.customer_id,
    Member.code,
    Member.status,
    Member.enrolled_at,
    Member.earns_blocked,
    Member.tier,
    Member.tier_since,
    Member.tier_kept_until,
    Member.tier_review_at,
    Member.available,
    Member.pending,
    Member.held,
    Member.blocked,
    Member.deficit,
    Member.growth,
    Member.merged_into,
    _expiring.label("expiring"),
).where(Member.customer_id == bindparam("customer_id"))
MEMBER = RowReader(_member)
_MEMBER_BELOW = RowReader(_member.where(Member.unit.in_(codes_below())))


def glimpse_member(principal: Principal, customer_id: UUID, zone: str) -> dict[str, Any]:
    """The member's row, past the session. Raises NotFound for who takes no part or belongs to others' units."""
    if sees_all(principal):
        row = glimpse(MEMBER, customer_id=customer_id, zone=zone)
    else:
        row = glimpse(_MEMBER_BELOW, customer_id=customer_id, zone=zone, below=principal.unit_path)
    if row is None:
        raise NotFound(f"no member with customer id {customer_id}")
    return row


def visible(statement: Select[Any], principal: Principal) -> Select[Any]:
    """Of a statement over members, those that the caller's units look after."""
    condition = seen_by(principal, Member.unit)
    return statement if condition is None else statement.where(condition)


def shown(row: dict[str, Any], tier: str) -> dict[str, Any]:
    """The member resource of contract.md; ``tier`` as it is now."""
    return {
        "customer_id": row["customer_id"],
        "code": row["code"],
        "status": row["status"],
        "enrolled_at": row["enrolled_at"],
        "under_review": row["earns_blocked"],
        "tier": tier,
        "tier_since": row["tier_since"],
        "tier_kept_until": row["tier_kept_until"],
        "points": {name: row[name] for name in ("available", "pending", "held", "blocked", "deficit")},
        "growth": row["growth"],
        "merged_into": row["merged_into"],
        "expiring": sorted(row["expiring"], key=lambda one: str(one["on"])),
    }


def unit_path(session: Session, unit: str | None) -> str | None:
    """Where in the company a member's unit stands; None while it is not known here."""
    return None if unit is None else session.scalar(select(UnitRow.path).where(UnitRow.code == unit))


def require_member(session: Session, principal: Principal, customer_id: UUID) -> None:
    """Raises NotFound for a customer who is no member, or whom the caller's units do not look after."""
    found = select(Member.customer_id).where(Member.customer_id == customer_id)
    if session.scalar(visible(found, principal)) is None:
        raise NotFound(f"no member with customer id {customer_id}")


def entry_shown(transaction: Transaction) -> dict[str, Any]:
    """A line of the member's statement, with its legs and its reasons."""
    detail = dict(transaction.detail or {})
    return {
        "id": transaction.id,
        "kind": transaction.kind,
        "key": transaction.business_key,
        "occurred_at": transaction.occurred_at,
        "recorded_at": transaction.recorded_at,
        "points": transaction.points,
        "growth": transaction.growth_available or 0,
        "legs": [
            {"currency": currency, "account": account, "amount": amount}
            for currency, legs in transaction.legs.items()
            for account, amount in legs.items()
        ],
        "reference": transaction.reference,
        "reason": transaction.reason,
        "why": {
            "decision": f"{transaction.points} points",
            "clause": transaction.clause,
            "policyversion": transaction.policyversion,
            "breakdown": detail.pop("breakdown", []),
            "inputs": detail,
        },
    }


def lot_shown(lot: Lot) -> dict[str, Any]:
    """A lot as the API shows it."""
    return {
        "id": lot.id,
        "transaction_id": lot.transaction_id,
        "state": lot.state,
        "points": lot.points,
        "remaining": lot.remaining,
        "reserved": lot.reserved,
        "campaign": lot.campaign,
        "earned_at": lot.earned_at,
        "available_at": lot.available_at,
        "expires_at": lot.expires_at,
    }
