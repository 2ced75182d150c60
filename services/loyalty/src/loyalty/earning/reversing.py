"""Refunds reverse what their purchase earned, from its own lot first; the rest by the pack's refund mode (CG-22).

Set-based: purchases, earlier refunds and lots of all refunds at hand are read at once.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import orjson
from sqlalchemy.orm import Session

from chassis.errors import Conflict
from chassis.runtime import Context
from loyalty.earning.refunds import Refund, Running, reversal
from loyalty.ledger.books import Books
from loyalty.ledger.domain import OpenLot, Taken, take_back
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor, transaction_ids
from loyalty.policy.rules import LoyaltyPolicy
from loyalty.tiers.use_cases import reconsider
from loyalty.tiers.windows import count_growth

_ORIGINALS = """
    SELECT substr(key, 10), member_id::text, transaction_id::text FROM business_key WHERE key = ANY(%s)
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


@dataclass(frozen=True, slots=True)
class Original:
    """The purchase a refund names; without a member it was an anonymous sale."""

    member_id: str | None
    transaction_id: str | None


@dataclass(slots=True)
class _Valued:
    """A purchase as it was decided."""

    points: int
    growth: int
    occurred_at: Any
    policyversion: str | None
    clause: str | None
    detail: dict[str, Any]
    so_far: Running = field(default_factory=Running)


def originals(session: Session, purchase_ids: Sequence[str]) -> dict[str, Original]:
    """Purchase id → what was made of it; ids not valued yet are left out."""
    if not purchase_ids:
        return {}
    with cursor(session) as found:
        found.execute(_ORIGINALS, ([f"purchase:{purchase_id}" for purchase_id in purchase_ids],))
        return {purchase_id: Original(member, transaction) for purchase_id, member, transaction in found.fetchall()}


def reverse(context: Context, books: Books, refunds: Sequence[tuple[Refund, Original]]) -> list[tuple[Refund, str]]:
    """Post refunds of locked members in the order given; returns those that exceed their purchase, with the reason."""
    refused: list[tuple[Refund, str]] = []
    named = [(refund, original) for refund, original in refunds if original.member_id is not None]
    valued = _valued(books.session, named)
    lots = _lots(books, {original.member_id for _, original in named if original.member_id})
    ids = transaction_ids(books.now, len(refunds))
    keys: list[tuple[str, str, str | None, str | None]] = []
    touched: set[str] = set()
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
        touched.add(original.member_id)
    if len(books.claim(keys)) < len(keys):
        raise RuntimeError("a refund id was claimed by a rival for another purchase; try again")
    books.write()
    if touched:
        reconsider(books, touched, context.policies.in_force(), books.now)
    return refused


def _running(refund: Refund, purchase: _Valued) -> Running:
    detail = purchase.detail
    return reversal(
        refund, Decimal(detail["total"]), purchase.points, purchase.growth, detail.get("weights"), purchase.so_far
    )


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
    points, growth = running.points - purchase.so_far.points, running.growth - purchase.so_far.growth
    origin = next((lot for lot in lots if lot.id == original.transaction_id), None)
    taken, owed, forgiven = take_back(account, origin, lots, points, rules.refund_mode)
    if growth:
        count_growth(account, purchase.occurred_at, -growth)
    for each in taken:
        books.use(each.lot.member_id, each.lot.id, id_, each.points)
        books.change(each.lot)
    effective = points - forgiven
    breakdown = _breakdown(purchase, points, growth, running)
    if forgiven:
        breakdown.append(
            {"rule": f"refund mode {rules.refund_mode}", "points": forgiven, "growth": 0, "clause": rules.refund_clause,
             "detail": "beyond what the balance bears"}
        )  # fmt: skip
    detail = {
        "total": str(refund.total), "refunded": str(running.total), "weight": str(running.weight),
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
    members = {original.transaction_id: original.member_id for _, original in refunds}
    found: dict[str, _Valued] = {}
    with cursor(session) as rows:
        rows.execute(_PURCHASES, (array(members.values()), array(members)))
        for id_, *decided in rows.fetchall():
            found[purchases[id_]] = _Valued(*decided)
        references = {f"purchase:{purchase_id}": purchase_id for purchase_id in found}
        by_purchase = {purchases[id_]: member for id_, member in members.items()}
        rows.execute(_EARLIER, (array(by_purchase[name] for name in references.values()), list(references)))
        for reference, detail in rows.fetchall():
            found[references[reference]].so_far = Running(
                Decimal(detail["refunded"]), Decimal(detail["weight"]), detail["points"], detail["growth"]
            )
    return found


def _lots(books: Books, members: set[str]) -> dict[str, list[OpenLot]]:
    by_member: dict[str, list[OpenLot]] = {}
    if members:
        for lot in books.lots(members):
            by_member.setdefault(lot.member_id, []).append(lot)
    return by_member
