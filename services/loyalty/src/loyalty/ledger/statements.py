"""The statements of the books: set-based, so that a step costs the same few round trips whatever it holds."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

LOCK = """
    SELECT customer_id::text, birthday, earns_blocked, pending, available, held, blocked, deficit, growth,
           growth_before, growth_from, growth_first, growth_until, tier, tier_since, tier_kept_until, tier_review_at,
           rises, sequence, enrolled_at, tier_granted_until
    FROM member WHERE customer_id = ANY(%s::uuid[]) AND merged_into IS NULL ORDER BY customer_id FOR UPDATE
"""
SAVE = """
    UPDATE member SET pending = n.pending, available = n.available, held = n.held, blocked = n.blocked,
        deficit = n.deficit, growth = n.growth, growth_before = n.growth_before, growth_from = n.growth_from,
        growth_first = n.growth_first, growth_until = n.growth_until
    FROM unnest(%s::uuid[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[], %s::bigint[],
                %s::bigint[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[])
        AS n (id, pending, available, held, blocked, deficit, growth, growth_before, growth_from, growth_first,
              growth_until)
    WHERE member.customer_id = n.id
"""
SAVE_TIER = """
    UPDATE member SET tier = n.tier, tier_since = n.since, tier_kept_until = n.kept, tier_review_at = n.review,
        rises = n.rises, sequence = n.sequence, tier_granted_until = n.granted
    FROM unnest(%s::uuid[], %s::text[], %s::timestamptz[], %s::timestamptz[], %s::timestamptz[], %s::int[],
                %s::bigint[], %s::timestamptz[])
        AS n (id, tier, since, kept, review, rises, sequence, granted)
    WHERE member.customer_id = n.id
"""
LOTS = """
    SELECT member_id::text, id::text, transaction_id::text, state, points, remaining, reserved,
           earned_at, available_at, expires_at
    FROM lot WHERE member_id = ANY(%s::uuid[]) AND remaining > 0
"""
SAVE_LOTS = """
    UPDATE lot SET state = n.state, remaining = n.remaining, reserved = n.reserved
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::bigint[], %s::bigint[])
        AS n (member_id, id, state, remaining, reserved)
    WHERE lot.member_id = n.member_id AND lot.id = n.id
"""
CLAIM = """
    INSERT INTO business_key (key, content, member_id, transaction_id)
    SELECT key, decode(content, 'hex'), member_id, transaction_id
    FROM unnest(%s::text[], %s::text[], %s::uuid[], %s::uuid[]) AS n (key, content, member_id, transaction_id)
    ON CONFLICT DO NOTHING RETURNING key
"""
COPIES = {
    "transaction": "COPY transaction (member_id, id, kind, business_key, occurred_at, effective_at, recorded_at, "
    "points_pending, points_available, points_held, points_blocked, points_issued, points_redeemed, points_expired, "
    "points_adjusted, growth_available, growth_issued, policyversion, clause, reference, reason, detail) "
    "FROM STDIN (FORMAT binary)",
    "lot": "COPY lot (member_id, id, transaction_id, state, points, remaining, unit_cost, earned_at, available_at, "
    "expires_at) FROM STDIN (FORMAT binary)",
    "lot_of_campaign": "COPY lot (member_id, id, transaction_id, state, points, remaining, unit_cost, earned_at, "
    "available_at, expires_at, campaign) FROM STDIN (FORMAT binary)",
    "lot_use": "COPY lot_use (member_id, lot_id, transaction_id, points) FROM STDIN (FORMAT binary)",
    "tier_change": "COPY tier_change (member_id, kind, tier, previous, since, kept_until, growth, transaction_id, "
    "revokes, recorded_at, policyversion, clause) FROM STDIN (FORMAT binary)",
}
CLAIM_ALL = "COPY business_key (key, content, member_id, transaction_id) FROM STDIN (FORMAT binary)"


def cursor(session: Session, binary: bool = False) -> Any:
    """The driver's own cursor inside the session's transaction; ``binary`` for answers of many columns."""
    session.flush()
    return session.connection().connection.cursor(binary=binary)


def array(values: Iterable[Any]) -> str:
    """An array literal of numbers, ids or instants: nothing in them needs quoting."""
    return "{" + ",".join("NULL" if value is None else str(value) for value in values) + "}"


def instants(values: Iterable[datetime | None]) -> str:
    """An array literal of instants."""
    return "{" + ",".join("NULL" if value is None else value.isoformat() for value in values) + "}"
