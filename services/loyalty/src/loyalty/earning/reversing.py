"""Refunds reverse what their purchase earned, from its own lot first; the rest by the pack's refund mode (CG-22).

Set-based: purchases, earlier refunds and lots of all refunds at hand are read at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.ids import uuid7_texts
from chassis.runtime import Context
from loyalty.earning.refunds import Refund, Running, reversal
from loyalty.expiry.use_cases import catch_up
from loyalty.ledger.books import Books
from loyalty.ledger.domain import OpenLot, Taken, take_back
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor
from loyalty.policy.rules import LoyaltyPolicy
from loyalty.tiers.use_cases import reconsider
from loyalty.tiers.windows import count_growth

# The purchase stands in the books of the member who made it. Who that member is part of now pays for the refund, and
# earlier refunds may stand with whoever the member was part of then.
_ORIGINALS = """
    SELECT substr(k.key, 10), coalesce(m.merged_into, k.member_id)::text, k.transaction_id::text, k.member_id::text,
        array(WITH RECURSIVE up AS (
            SELECT survivor_id FROM merge WHERE absorbed_id = k.member_id
            UNION SELECT merge.survivor_id FROM merge JOIN up ON merge.absorbed_id = up.survivor_id
        ) SELECT survivor_id::text FROM up)
    FROM business_key k LEFT JOIN member m ON m.customer_id = k.member_id WHERE k.key = ANY(%s)
"""
_PURCHASES = """
    SELECT t.id::text, coalesce(-t.points_issued, 0), coalesce(t.growth_available, 0), t.occurred_at,
           t.policyversion, t.clause, t.detail
    FROM unnest(%s::uuid[], %s::uuid[]) AS n (member_id, id) JOIN transaction t USING (member_id, id)
"""
_EARLIER = """
    SELECT t.reference, t.detail FROM unnest(%s::uuid[], %s::text[]) AS n (member_id, reference)
    JOIN transaction t ON t.member_id = n.member_id AND t.reference = n.reference AND t.kind = 'refund'
    ORDER BY (t.detail->>'refunded')::numeric
"""


UNLIMITED = "unlimited"  # the mode that needs no look at the balance
_VOIDED = "SELECT substr(key, 6) FROM business_key WHERE key = ANY(%s)"


@dataclass(frozen=True, slots=True)
class Original:
    """The purchase a refund names; without a member it was an anonymous sale.

    ``member_id``: whose points it is about now; ``buyer_id``: with whom it is booked; ``others``: who else may have
    refunds of it in their books.
    """

    member_id: str | None
    transaction_id: str | None
    buyer_id: str | None = None
    others: Sequence[str] = ()

    @property
    def booked_with(self) -> str | None:
        """The member in whose books the purchase stands."""
        return self.buyer_id or self.member_id


@dataclass(slots=True)
class _Valued:
    """A purchase as it was decided."""

    points: int
    growth: int
    occurred_at: datetime
    policyversion: str | None
    clause: str | None
    detail: dict[str, Any]
    so_far: Running = field(default_factory=Running)
    voided: bool = False


def originals(session: Session, purchase_ids: Sequence[str]) -> dict[str, Original]:
    """Purchase id → what was made of it; ids not valued yet are left out."""
    if not purchase_ids:
        return {}
    with cursor(session) as found:
        found.execute(_ORIGINALS, ([f"purchase:{purchase_id}" for purchase_id in purchase_ids],))
        return {purchase_id: Original(*said) for purchase_id, *said in found.fetchall()}


def reverse(context: Context, books: Books, refunds: Sequence[tuple[Refund, Original]]) -> list[tuple[Refund, str]]:
    """Post refunds of locked members in the order given; returns those that exceed their purchase, with the reason."""
    refused: list[tuple[Refund, str]] = []
    named = [(refund, original) for refund, original in refunds if original.member_id is not None]
    valued = _valued(books.session, named)
    lots = _lots(books, {original.member_id for _, original in named if original.member_id})
    _catch_up(context, books, named, lots)
    ids = uuid7_texts(books.now, len(refunds))
    keys: list[tuple[str, str, str | None, str | None]] = []
    touched: dict[str, datetime] = {}  # member → since when growth is less
    for (refund, original), id_ in zip(refunds, ids, strict=True):
        key = f"refund:{refund.refund_id}"
        if original.member_id is None:
            keys.append((key, refund.content, None, None))
            continue
        purchase = valued[refund.purchase_id]
        try:
            running = _running(refund, purchase)
        except Conflict as excess:
            refused.append((refund, excess.detail))
            continue
        keys.append((key, refund.content, original.member_id, id_))
        _post(context, books, refund, original, purchase, running, id_, lots.get(original.member_id, []))
        purchase.so_far = running
        bought_at = purchase.occurred_at
        touched[original.member_id] = min(touched.get(original.member_id, bought_at), bought_at)
    if len(books.claim(keys)) < len(keys):
        raise RuntimeError("a refund id was claimed by a rival for another purchase; try again")
    books.write()
    if touched:
        reconsider(books, touched, context.policies.in_force, "refund")
    return refused


def _catch_up(
    context: Context, books: Books, refunds: Sequence[tuple[Refund, Original]], lots: dict[str, list[OpenLot]]
) -> None:
    """Where the mode asks what is pending and what the balance bears, a schedule that is late must not answer it."""
    in_force = context.policies.in_force
    asked = [
        original.member_id
        for refund, original in refunds
        if original.member_id and in_force(refund.occurred_at).rules.refund_mode != UNLIMITED
    ]
    for member in sorted({*asked} & lots.keys()):
        catch_up(books, books.accounts[member], lots[member], in_force())


def _running(refund: Refund, purchase: _Valued) -> Running:
    detail = purchase.detail
    return reversal(
        refund, Decimal(detail["total"]), purchase.points, purchase.growth, detail.get("weights"), purchase.so_far,
        detail.get("uncounted", ()),
    )  # fmt: skip


def _post(
    context: Context,
    books: Books,
    refund: Refund,
    original: Original,
    purchase: _Valued,
    running: Running,
    id_: str,
    lots: list[OpenLot],
) -> None:
    """One refund: legs, lots, deficit, growth, event."""
    account = books.accounts[original.member_id or ""]
    policy = context.policies.in_force(refund.occurred_at)
    rules: LoyaltyPolicy = policy.rules
    mode = rules.refund_mode
    points, growth = running.points - purchase.so_far.points, running.growth - purchase.so_far.growth
    if purchase.voided:
        points = growth = 0  # a review has taken back all there was
    taken, owed, forgiven = take_back(account, _origins(original, purchase, lots, points), lots, points, mode)
    if growth:
        count_growth(account, purchase.occurred_at, -growth)
    for each in taken:
        books.use(each.lot.member_id, each.lot.id, id_, each.points)
        books.change(each.lot)
    effective = points - forgiven
    breakdown = _breakdown(purchase, points, growth, running)
    if forgiven:
        breakdown.append(
            {"rule": f"refund mode {mode}", "points": forgiven, "growth": 0, "clause": rules.refund_clause,
             "detail": "beyond what the balance bears"}
        )  # fmt: skip
    detail = {
        "total": str(refund.total), "refunded": str(running.total), "weight": str(running.weight),
        "counted": str(running.counted),
        "points": running.points, "growth": running.growth, "forgiven": forgiven, "breakdown": breakdown,
    }  # fmt: skip
    key = f"refund:{refund.refund_id}"
    books.post(
        account, id_, "refund", key, refund.occurred_at, legs(_moved(taken, owed), -growth),
        effective_at=purchase.occurred_at, policyversion=policy.version, clause=rules.refund_clause,
        reference=f"purchase:{refund.purchase_id}", reason=refund.reason, detail=orjson.dumps(detail),
    )  # fmt: skip
    data = {
        "customer_id": account.customer_id,
        "transaction_id": id_,
        "kind": "refund",
        "points": -effective,
        "growth": -growth,
        "purchase_id": refund.purchase_id,
        "refund_id": refund.refund_id,
        "reverses": original.transaction_id,
        "occurred_at": refund.occurred_at.isoformat(),
        "breakdown": breakdown,
        "balance": account.balance,
    }
    books.announce("points.reversed.v1", account, key, data, policy.version)


def _origins(original: Original, purchase: _Valued, lots: Sequence[OpenLot], points: int) -> list[tuple[OpenLot, int]]:
    """The lots the purchase came in, with the share of ``points`` that each owes: campaigns theirs, the rest its own.

    Pending ones first, so that a refund takes what nobody could have spent yet.
    """
    shares = {gift["lot"]: gift["points"] * points // purchase.points for gift in purchase.detail.get("campaigns", ())}
    shares[original.transaction_id or ""] = points - sum(shares.values())
    mine = [(lot, shares[lot.id]) for lot in lots if lot.id in shares]
    return sorted(mine, key=lambda one: (one[0].state == "available", one[0].id != original.transaction_id))


def _moved(taken: Sequence[Taken], owed: int) -> dict[str, int]:
    """Out of which accounts, back to what was issued."""
    moved = {"available": -owed}
    for each in taken:
        moved[each.account] = moved.get(each.account, 0) - each.points
    return moved | {"issued": -sum(moved.values())}


def _breakdown(purchase: _Valued, points: int, growth: int, running: Running) -> list[dict[str, Any]]:
    """The purchase's own steps, as far as they are taken back now: they sum exactly to what is taken back."""
    steps = purchase.detail["breakdown"]
    rows, rest = [], points
    for place, step in enumerate(steps):
        last = place == len(steps) - 1
        part = rest if last or not purchase.points else step["points"] * points // purchase.points
        rest -= part
        rows.append(
            {
                "rule": step["rule"],
                "points": -part,
                "growth": -growth if step["growth"] else 0,
                "clause": step["clause"],
                "detail": f"{running.total} of {purchase.detail['total']} refunded",
            }
        )
    return rows


def _valued(session: Session, refunds: Sequence[tuple[Refund, Original]]) -> dict[str, _Valued]:
    if not refunds:
        return {}
    purchases = {original.transaction_id: refund.purchase_id for refund, original in refunds}
    members = {original.transaction_id: original.booked_with for _, original in refunds}
    books_of = {
        (f"purchase:{refund.purchase_id}", member)
        for refund, original in refunds
        for member in (original.booked_with, *original.others)
    }  # where refunds of them may stand
    found: dict[str, _Valued] = {}
    with cursor(session) as rows:
        rows.execute(_PURCHASES, (array(members.values()), array(members)))
        for id_, *decided in rows.fetchall():
            found[purchases[id_]] = _Valued(*decided)
        references = {f"purchase:{purchase_id}": purchase_id for purchase_id in found}
        rows.execute(_VOIDED, ([f"void:{id_}" for id_ in purchases],))
        for (id_,) in rows.fetchall():
            found[purchases[id_]].voided = True
        rows.execute(_EARLIER, (array(member for _, member in books_of), [reference for reference, _ in books_of]))
        for reference, detail in rows.fetchall():
            found[references[reference]].so_far = Running(
                Decimal(detail["refunded"]), Decimal(detail["weight"]), detail["points"], detail["growth"],
                Decimal(detail.get("counted", detail["refunded"])),
            )  # fmt: skip
    return found


def _lots(books: Books, members: set[str]) -> dict[str, list[OpenLot]]:
    by_member: dict[str, list[OpenLot]] = {}
    if members:
        for lot in books.lots(members):
            by_member.setdefault(lot.member_id, []).append(lot)
    return by_member
