"""Put points that no purchase earned into a purse: one transaction, one lot.

Whoever calls has locked the account and claimed the business key; crediting asks nothing of the database.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import orjson

from chassis.storage import wire
from loyalty.earning.terms import Terms
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, credit_available
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import cursor
from loyalty.tiers.windows import count_growth

_CONTENT = "SELECT encode(content, 'hex') FROM business_key WHERE key = %s"


@dataclass(frozen=True, slots=True)
class Credit:
    """So many points, and why. ``kind`` is the transaction's; ``counter`` the programme account they come from."""

    kind: str
    key: str
    points: int
    occurred_at: datetime
    clause: str | None
    reason: str
    reference: str | None = None
    counter: str = "issued"
    growth: int = 0
    available_at: datetime | None = None  # None: at once
    expires_at: datetime | None = None  # None: as the pack lets points lapse that were earned at ``occurred_at``
    detail: Mapping[str, Any] = field(default_factory=dict)
    steps: Sequence[Mapping[str, Any]] = ()  # of the calculation, where it takes more than one

    @property
    def breakdown(self) -> Sequence[Mapping[str, Any]]:
        """The steps of the calculation, as events and statements show them."""
        return self.steps or [
            {"rule": self.kind, "points": self.points, "growth": self.growth, "clause": self.clause,
             "detail": self.reason}
        ]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Lotted:
    """What became of a credit: the state of its lot and the instants of it, as events tell them."""

    state: str
    available_at: datetime
    expires_at: str | None


def credit(books: Books, account: Account, transaction_id: str, given: Credit, terms: Terms) -> Lotted:
    """Post a credit. Who is blacklisted or flagged gets it under review, as they do with what they earn."""
    at = given.occurred_at
    available_at = given.available_at or at
    lapse, expires_at = terms.expires_at(at)
    if given.expires_at is not None:
        lapse, expires_at = wire.instant(given.expires_at), given.expires_at.astimezone(UTC).isoformat()
    state = "blocked" if account.earns_blocked else "available" if available_at <= books.now else "pending"
    if given.points:
        absorbed = 0
        if state == "available":
            absorbed = credit_available(account, given.points)
        else:
            setattr(account, state, getattr(account, state) + given.points)
        dates = terms.unit_cost + wire.instant(at) + wire.instant(available_at) + lapse
        amounts = wire.integers(given.points, given.points - absorbed)
        books.lot_earned(account, wire.uuid(transaction_id), state, amounts, dates)
        if absorbed:
            books.use(account.customer_id, transaction_id, transaction_id, absorbed)
    if given.growth:
        count_growth(account, at, given.growth)
    books.post(
        account, transaction_id, given.kind, given.key, at,
        legs({state: given.points, given.counter: -given.points}, given.growth),
        policyversion=terms.version, clause=given.clause, reference=given.reference, reason=given.reason,
        detail=orjson.dumps({**given.detail, "expires_at": expires_at, "breakdown": given.breakdown}),
    )  # fmt: skip
    return Lotted(state, available_at, expires_at)


def content_of(books: Books, key: str) -> str:
    """The digest of what was asked under a business key that somebody has claimed."""
    with cursor(books.session) as found:
        found.execute(_CONTENT, (key,))
        return str(found.fetchone()[0])


def announce_earned(
    books: Books, account: Account, transaction_id: str, given: Credit, lotted: Lotted, terms: Terms
) -> None:
    """``points.earned`` of a credit that was issued."""
    data = {
        "customer_id": account.customer_id,
        "transaction_id": transaction_id,
        "kind": given.kind,
        "points": given.points,
        "growth": given.growth,
        "state": lotted.state,
        "reference": given.key,
        "occurred_at": given.occurred_at.isoformat(),
        "available_at": lotted.available_at.isoformat(),
        "expires_at": lotted.expires_at,
        "breakdown": given.breakdown,
        "balance": account.balance,
    }
    books.announce("points.earned.v1", account, given.key, data, terms.version)
