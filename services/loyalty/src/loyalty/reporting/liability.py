"""What we owe: points outstanding in money at cost, by tier, by campaign, by the month in which they lapse."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy

_BY_TIER = text("""
    SELECT tier, count(*) AS members, sum(pending + available + held + blocked) AS points, sum(deficit) AS deficit
    FROM member GROUP BY tier ORDER BY tier
""")
_BY_CAMPAIGN = text("""
    SELECT coalesce(campaign, 'base') AS campaign, sum(remaining) AS points, sum(remaining * unit_cost) AS money
    FROM lot WHERE remaining > 0 GROUP BY 1 ORDER BY 1
""")
_EXPIRING = text("""
    SELECT to_char((expires_at - interval '1 microsecond') AT TIME ZONE :zone, 'YYYY-MM') AS month,
           sum(remaining) AS points, sum(remaining * unit_cost) AS money
    FROM lot WHERE remaining > 0 AND expires_at IS NOT NULL GROUP BY 1 ORDER BY 1
""")


def liability(session: Session, policy: Policy) -> dict[str, Any]:
    """The report. A deficit lessens what is owed: it is absorbed before the member sees a point again."""
    currency, worth = policy.company.currency, policy.rules.redemption
    tiers = session.execute(_BY_TIER).mappings().all()
    campaigns = session.execute(_BY_CAMPAIGN).mappings().all()
    expiring = session.execute(_EXPIRING, {"zone": policy.company.time_zone.key}).mappings().all()
    deficit = sum(int(row["deficit"]) for row in tiers)
    points = sum(int(row["points"]) for row in tiers)
    money = sum((row["money"] for row in campaigns), Decimal(0)) - worth.money(deficit)
    return {
        "points_outstanding": points,
        "money": _money(money, currency),
        "deficit": deficit,
        "by_tier": [
            {
                "tier": row["tier"],
                "members": row["members"],
                "points": int(row["points"]),
                "money": _money(worth.money(int(row["points"])), currency),
            }
            for row in tiers
        ],
        "by_campaign": [
            {"campaign": row["campaign"], "points": int(row["points"]), "money": _money(row["money"], currency)}
            for row in campaigns
        ],
        "expiring": [
            {"month": row["month"], "points": int(row["points"]), "money": _money(row["money"], currency)}
            for row in expiring
        ],
        "clause": worth.clause,
        "policyversion": policy.version,
    }


def _money(amount: Decimal, currency: str) -> dict[str, str]:
    return {"amount": f"{amount:.2f}", "currency": currency}
