"""Read the lives of all members, a page at a time, in constant memory: a few statements per page."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.company import Company
from loyalty.campaigns.domain import read_segment
from loyalty.earning.domain import Purchase
from loyalty.earning.refunds import Refund
from loyalty.ledger.statements import array, cursor
from loyalty.simulation.domain import Gave, Life
from loyalty.tiers.windows import rises

PAGE = 500  # members in one step of the job

_HOW_MANY = text("SELECT count(*) FROM member WHERE merged_into IS NULL")
_MEMBERS = """
    SELECT customer_id::text, code, birthday, enrolled_at,
        %(below)s = '/' OR EXISTS (
            SELECT FROM chassis.unit u WHERE u.code = member.unit AND starts_with(u.path, %(below)s))
    FROM member WHERE customer_id > %(after)s AND merged_into IS NULL ORDER BY customer_id LIMIT %(page)s
"""
# Whoever became part of a member bought for that member: their books are read beside its own.
_BOOKS = """
    WITH books AS (
        SELECT customer_id AS id, coalesce(merged_into, customer_id) AS member FROM member
        WHERE customer_id = ANY(%(ids)s::uuid[]) OR merged_into = ANY(%(ids)s::uuid[])
    )
"""
_PURCHASES = (
    _BOOKS  # noqa: S608 - constants of this module
    + """
    SELECT books.member::text, substr(t.business_key, 10), t.occurred_at, t.detail->>'total', t.detail->>'currency',
        t.detail->'weights', t.detail->'campaigns', t.detail->'breakdown'->0->>'points'
    FROM books JOIN transaction t ON t.member_id = books.id AND t.kind = 'purchase' AND t.occurred_at >= %(since)s
    ORDER BY t.occurred_at, t.id
"""
)
_CAMPAIGNS = "SELECT code, clause, multiplier, coalesce(bonus, 0), conditions FROM campaign WHERE code = ANY(%s)"
# A purchase that a review voided was taken back as a whole.
_REFUNDS = (
    _BOOKS  # noqa: S608 - constants of this module
    + """
    SELECT books.member::text, substr(t.reference, 10), t.occurred_at, t.detail->>'total', t.kind
    FROM books JOIN transaction t ON t.member_id = books.id AND t.kind IN ('refund', 'void')
        AND t.reference LIKE 'purchase:%%' AND t.occurred_at >= %(since)s
    ORDER BY t.occurred_at, t.id
"""
)
# Growth of before (less what was given back of it since), and what came by neither a purchase nor its refund. A merge
# only carries growth that stands in the books read here once more.
_GROWTH = """
    SELECT t.member_id::text, t.effective_at, t.growth_available FROM transaction t
    WHERE t.member_id = ANY(%(ids)s::uuid[]) AND t.growth_available IS NOT NULL
      AND (t.effective_at < %(since)s OR t.kind NOT IN ('purchase', 'refund', 'void', 'merge', 'unmerge'))
"""
_BIRTHDAYS = """
    SELECT k.member_id::text FROM business_key k
    JOIN transaction t ON t.member_id = k.member_id AND t.id = k.transaction_id AND t.occurred_at < %(since)s
    WHERE k.key = ANY(%(keys)s)
"""
_EARNED = """
    SELECT member_id::text, (occurred_at AT TIME ZONE %(zone)s)::date, -sum(points_issued)::bigint FROM transaction
    WHERE member_id = ANY(%(ids)s::uuid[]) AND kind = 'purchase' AND points_issued IS NOT NULL
      AND occurred_at >= %(month)s AND occurred_at < %(since)s
    GROUP BY 1, 2
"""


def how_many(session: Session) -> int:
    """How many lives there are."""
    return int(session.execute(_HOW_MANY).scalar_one())


def lives(session: Session, after: str, since: datetime, company: Company, below: str) -> list[Life]:
    """The next members' lives from ``since`` on, by their ids, those above ``after`` ('': all).

    ``below``: the path of the units whose members are ``seen`` by whoever asks.
    """
    asked = {"after": after or str(uuid.UUID(int=0)), "page": PAGE, "below": below}
    with cursor(session) as rows:
        rows.execute(_MEMBERS, asked)
        page = {row[0]: Life(*row) for row in rows.fetchall()}
    if page:
        _read(session, page, since, company)
    return list(page.values())


def _read(session: Session, page: dict[str, Life], since: datetime, company: Company) -> None:
    day = company.day_of(since)
    first = since.astimezone(company.time_zone).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    asked: dict[str, Any] = {
        "ids": array(page), "since": since, "month": first, "zone": company.time_zone.key,
        "keys": [f"birthday:{member}:{day.year}" for member in page],
    }  # fmt: skip
    with cursor(session) as rows:
        totals: dict[str, Decimal] = {}
        given: list[tuple[Life, str, str, int, int]] = []  # whose, purchase, campaign, points, base
        for member, purchase_id, at, total, currency, weights, gifts, base in rows.execute(_PURCHASES, asked):
            totals[purchase_id] = Decimal(total)
            lines = [{"sku": sku, "amount": amount} for sku, amount, _ in weights or ()]
            page[member].purchases.append(
                Purchase(purchase_id, "", at, currency, totals[purchase_id], lines, None, None, "")
            )
            given.extend((page[member], purchase_id, one["campaign"], one["points"], int(base)) for one in gifts or ())
        for member, purchase_id, at, total, kind in rows.execute(_REFUNDS, asked):
            if purchase_id in totals:
                whole = totals[purchase_id] - _refunded(page[member], purchase_id)
                amount = whole if kind == "void" else Decimal(total)
                if amount > 0:
                    page[member].refunds.append(Refund("", purchase_id, at, amount, [], None, ""))
        for member, at, amount in rows.execute(_GROWTH, asked):
            page[member].growth.append((at, amount))
        for (member,) in rows.execute(_BIRTHDAYS, asked):
            page[member].birthdays.add(day.year)
        for member, on, points in rows.execute(_EARNED, asked):
            page[member].earned[on] = points
        _tell_gifts(rows, given)
    for member, steps in rises(session, page).items():
        page[member].rises = [step for step in steps if step.since < since]


def _tell_gifts(rows: Any, given: Sequence[tuple[Life, str, str, int, int]]) -> None:
    """What campaigns gave, with what they promised."""
    if not given:
        return
    rows.execute(_CAMPAIGNS, (sorted({code for _, _, code, _, _ in given}),))
    promised = {
        code: (clause, multiplier, bonus, read_segment(conditions).tiers)
        for code, clause, multiplier, bonus, conditions in rows.fetchall()
    }
    for life, purchase_id, code, points, base in given:
        clause, multiplier, bonus, tiers = promised[code]
        gave = Gave(code, clause, points, base, multiplier, bonus, tiers)
        life.gifts.setdefault(purchase_id, []).append(gave)


def _refunded(life: Life, purchase_id: str) -> Decimal:
    return sum((refund.total for refund in life.refunds if refund.purchase_id == purchase_id), Decimal(0))
