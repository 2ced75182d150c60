"""What we owe: points outstanding, in money at the cost of each lot, by tier, by campaign, by the month they lapse.

Balances are read in one statement, so one snapshot. A deficit lessens what is owed: it is absorbed before its member
sees a point again. Lots know nothing of it, so by campaign and by month the sums are those of all lots. What of them
will lapse unspent is estimated from our own past (``breakage.py``), beside the figures and never inside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.web.fields import plain
from loyalty.reporting.breakage import LOOK_BACK, history, share
from loyalty.reporting.movements import redemption_rate

YEAR = timedelta(days=365)

# Rows of two kinds: what remains of lots, and the members themselves (`members` is then not null).
_OWED = text("""
    SELECT m.tier, coalesce(l.campaign, 'base') AS campaign,
           to_char((l.expires_at - interval '1 microsecond') AT TIME ZONE :zone, 'YYYY-MM') AS month,
           sum(l.remaining) AS points, sum(l.remaining * l.unit_cost) AS money, NULL AS members
    FROM lot l JOIN member m ON m.customer_id = l.member_id WHERE l.remaining > 0 GROUP BY 1, 2, 3
    UNION ALL
    SELECT tier, NULL, NULL, -sum(deficit), NULL, count(*) FROM member WHERE merged_into IS NULL GROUP BY tier
""")


def liability(session: Session, policy: Policy, as_of: datetime) -> dict[str, Any]:
    """The report; amounts are decimal strings in ``currency``, months those of a lot's last day (null: never)."""
    worth = policy.rules.redemption
    rows = session.execute(_OWED, {"zone": policy.company.time_zone.key}).all()
    lots = [row for row in rows if row.members is None]
    members = {row.tier: row for row in rows if row.members is not None}
    known = [tier.name for tier in policy.rules.tiers.tiers]
    by_tier = []
    for tier in [*known, *sorted(members.keys() - set(known))]:
        own = [row for row in lots if row.tier == tier]
        owed = int(members[tier].points) if tier in members else 0  # deficits, negative
        by_tier.append(
            {
                "tier": tier,
                "members": members[tier].members if tier in members else 0,
                "points": _points(own) + owed,
                "money": _shown(_money(own) + worth.money(owed)),
            }
        )
    deficit = -int(sum(row.points for row in members.values()))
    return {
        "as_of": as_of,
        "points_outstanding": _points(lots) - deficit,
        "money": _shown(_money(lots) - worth.money(deficit)),
        "currency": policy.company.currency,
        "deficit": deficit,
        "by_tier": by_tier,
        "by_campaign": _by("campaign", lots),
        "expiring": _by("month", lots),
        "expected_breakage": _expected_breakage(session, lots, as_of),
        "redemption_rate": _redemption_rate(session, as_of),
        "clause": worth.clause,
        "policyversion": policy.version,
    }


def _expected_breakage(session: Session, lots: Iterable[Any], as_of: datetime) -> dict[str, Any]:
    """The part of the lots with an end that past lots say will expire; lots without one never break."""
    past = history(session, as_of)
    ending = [row for row in lots if row.month is not None]
    rate = past.rate
    return {
        "rate": None if rate is None else plain(rate),
        "points": None if rate is None else int(_points(ending) * rate),
        "money": None if rate is None else _shown(_money(ending) * rate),
        "method": f"expired ÷ (expired + redeemed) of the lots whose life ended in the {LOOK_BACK} before",
        "lots": past.lots,
        "expired": past.expired,
        "redeemed": past.redeemed,
    }


def _redemption_rate(session: Session, as_of: datetime) -> dict[str, Any]:
    redeemed, issued = redemption_rate(session, as_of - YEAR, as_of)
    rate = share(redeemed, issued)
    return {"rate": None if rate is None else plain(rate), "redeemed": redeemed, "issued": issued, "days": YEAR.days}


def _by(name: str, lots: Iterable[Any]) -> list[dict[str, Any]]:
    groups: dict[str | None, list[Any]] = {}
    for row in lots:
        groups.setdefault(getattr(row, name), []).append(row)
    return [
        {name: group, "points": _points(groups[group]), "money": _shown(_money(groups[group]))}
        for group in sorted(groups, key=lambda group: (group is None, group or ""))
    ]


def _points(lots: Sequence[Any]) -> int:
    return int(sum(row.points for row in lots))


def _money(lots: Sequence[Any]) -> Decimal:
    return sum((row.money for row in lots), Decimal(0))


def _shown(amount: Decimal) -> str:
    return plain(amount.quantize(Decimal("0.0001")))
