"""The name list of a campaign: who is in its segment when it starts, and in which arm.

Both arms are fixed before anybody buys. Whoever joined later or bought because of the campaign would make the two
groups different, so the report compares those on the list alone.
"""

from __future__ import annotations

from typing import Any

import orjson
from sqlalchemy.orm import Session

from loyalty.campaigns.domain import CONTROL, TREATED, Segment, read_segment
from loyalty.campaigns.tables import CampaignRow
from loyalty.ledger.statements import cursor

# As domain.Segment.holds and domain.arm decide: members `m` of a segment, with their profile `p`.
IN_SEGMENT = """
    FROM member m LEFT JOIN member_profile p ON p.customer_id = m.customer_id
    WHERE m.status = 'active' AND (cardinality(%(tiers)s::text[]) = 0 OR m.tier = ANY(%(tiers)s))
      AND (cardinality(%(grades)s::text[]) = 0 OR p.grade = ANY(%(grades)s))
      AND (cardinality(%(tags)s::text[]) = 0 OR p.tags && %(tags)s)
      AND NOT EXISTS (SELECT FROM jsonb_each(%(classes)s::jsonb) AS asked (scheme, values)
                      WHERE NOT coalesce(asked.values ? (p.classes->>asked.scheme), false))
"""
_COUNT = "SELECT count(*) " + IN_SEGMENT
_LIST = (
    f"""
    WITH listed AS (
        INSERT INTO campaign_member (campaign_id, member_id, arm, listed)
        SELECT %(id)s::uuid, m.customer_id,
               CASE WHEN ('x' || left(encode(sha256(convert_to(%(id)s::text || ':' || m.customer_id::text, 'UTF8')),
                          'hex'), 8))::bit(32)::bigint < %(control)s::numeric * 4294967296
                    THEN '{CONTROL}' ELSE '{TREATED}' END, true
"""  # noqa: S608 - two words of our own
    + IN_SEGMENT
    + " RETURNING arm) SELECT arm, count(*) FROM listed GROUP BY arm"
)


def count_listed(session: Session, campaign: CampaignRow) -> int:
    """How many members are in its segment now."""
    with cursor(session) as found:
        found.execute(_COUNT, facts_of(read_segment(campaign.conditions)))
        return int(found.fetchone()[0])


def list_members(session: Session, campaign: CampaignRow) -> dict[str, int]:
    """Put every member of the segment into their arm; returns how many are in each."""
    with cursor(session) as listed:
        facts = {
            **facts_of(read_segment(campaign.conditions)),
            "id": str(campaign.id),
            "control": campaign.control_group,
        }
        listed.execute(_LIST, facts)
        return dict(listed.fetchall())


def facts_of(segment: Segment) -> dict[str, Any]:
    """What ``IN_SEGMENT`` asks to be told."""
    classes = {scheme: sorted(values) for scheme, values in segment.classes.items()}
    return {
        "tiers": sorted(segment.tiers), "grades": sorted(segment.grades), "tags": sorted(segment.tags),
        "classes": orjson.dumps(classes).decode(),
    }  # fmt: skip
