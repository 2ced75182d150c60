"""What came of a campaign: treated against control, its cost, its course by week (BK-04, BK-05).

Spend is what the members of the name list bought while it ran, in any currency by its number, less what of that came
back since. Cost counts the campaign's own lots, each where it was made: a lot that a merge carried over is the same.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.web.fields import plain
from loyalty.campaigns.domain import CONTROL, TREATED
from loyalty.campaigns.tables import CampaignRow
from loyalty.campaigns.uplift import CONFIDENCE, METHOD, Arm, uplift

_ARMS = text("""
    WITH spent AS (
        SELECT l.arm, coalesce(sum((t.detail->>'total')::numeric * CASE t.kind WHEN 'purchase' THEN 1 ELSE -1 END), 0)
                   AS spend, count(*) FILTER (WHERE t.kind = 'purchase') AS purchases
        FROM campaign_member l LEFT JOIN transaction t ON t.member_id = l.member_id
            AND t.kind IN ('purchase', 'refund') AND t.effective_at >= :since AND t.effective_at < :until
        WHERE l.campaign_id = :id AND l.listed GROUP BY l.arm, l.member_id)
    SELECT arm, count(*) AS members, count(*) FILTER (WHERE purchases > 0) AS buyers, sum(spend) AS spend,
           avg(spend) AS mean, coalesce(var_samp(spend), 0) AS variance
    FROM spent GROUP BY arm
""")
_GIVEN = text("""
    SELECT to_char(l.earned_at AT TIME ZONE :zone, 'IYYY"-W"IW') AS week, count(*) AS purchases,
           sum(l.points) AS points,
           coalesce(sum(back.points), 0) AS taken_back,
           sum((l.points - coalesce(back.points, 0)) * l.unit_cost) AS money
    FROM lot l JOIN transaction origin ON origin.member_id = l.member_id AND origin.id = l.transaction_id
    LEFT JOIN LATERAL (
        SELECT sum(u.points) AS points FROM lot_use u
        JOIN transaction t ON t.id = u.transaction_id AND t.member_id = u.member_id
        WHERE u.lot_id = l.id AND t.kind IN ('refund', 'void')) AS back ON true
    WHERE l.campaign = :code GROUP BY week ORDER BY week
""")


def effect_of(session: Session, campaign: CampaignRow, policy: Policy, as_of: datetime) -> dict[str, Any]:
    """The report; nothing in it for a draft."""
    window = {"since": campaign.runs_from, "until": campaign.runs_until, "id": campaign.id}
    arms = {row.arm: row for row in session.execute(_ARMS, window)}
    zone = policy.company.time_zone.key
    weeks = session.execute(_GIVEN, {"code": campaign.code, "zone": zone}).all()
    taken_back = int(sum(week.taken_back for week in weeks))
    return {
        "campaign_id": campaign.id,
        "code": campaign.code,
        "runs_from": campaign.runs_from,
        "runs_until": campaign.runs_until,
        "as_of": as_of,
        "arms": [_arm(arms[name]) for name in (TREATED, CONTROL) if name in arms],
        "uplift": _uplift(arms),
        "cost": {
            "purchases": sum(week.purchases for week in weeks),
            "points": int(sum(week.points for week in weeks)),
            "taken_back": taken_back,
            "money": _money(sum((week.money for week in weeks), Decimal(0))),
            "currency": policy.company.currency,
            "budget": campaign.budget,
            "left": None if campaign.budget is None else campaign.budget - campaign.granted,
        },
        "by_week": [{"week": week.week, "purchases": week.purchases, "points": int(week.points)} for week in weeks],
        "clause": campaign.clause,
        "policyversion": campaign.policyversion,
    }


def _arm(row: Any) -> dict[str, Any]:
    return {
        "arm": row.arm, "members": row.members, "buyers": row.buyers, "spend": _money(row.spend),
        "mean": _money(row.mean),
    }  # fmt: skip


def _uplift(arms: dict[str, Any]) -> dict[str, Any] | None:
    if TREATED not in arms or CONTROL not in arms:
        return None
    treated, control = (
        Arm(row.members, float(row.mean), float(row.variance)) for row in (arms[TREATED], arms[CONTROL])
    )
    found = uplift(treated, control)
    if found is None:
        return None
    return {
        "difference": _money(found.difference),
        "low": _money(found.low),
        "high": _money(found.high),
        "confidence": str(CONFIDENCE),
        "relative": None if found.relative is None else f"{found.relative:.4f}",
        "shown": found.shown,
        "extra_spend": _money(found.difference * treated.members),
        "method": METHOD,
    }


def _money(amount: Decimal | float) -> str:
    return plain(Decimal(amount).quantize(Decimal("0.0001")))
