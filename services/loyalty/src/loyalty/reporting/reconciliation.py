"""The proof that the books are right: what is cached equals what was posted, for every account.

Per member: each balance is the sum of its legs; each purse is what its lots hold (decision 24); each lot is what it
was less what was used of it; what is held is what lots reserve and open holds ask for; the edge of the growth
window is where the row says; the tier is the one that the recorded history ends with. An account is checked in one
statement, so work that goes on beside it disturbs nothing.
"""

from __future__ import annotations

import uuid
from typing import Any

import structlog
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.jobs import JobRow, start
from chassis.runtime import Context
from loyalty.tiers.windows import ON_RECORD

JOB = "reconciliation"
AT_ONCE = 100_000  # accounts; more are checked by a job (decision 29)
STEP = 20_000
SHOWN = 100
log = structlog.get_logger(__name__)

_CHECK = text(
    """
WITH m AS MATERIALIZED (
    SELECT * FROM member WHERE customer_id > :after ORDER BY customer_id LIMIT :step
), last AS (
    SELECT customer_id AS id FROM m ORDER BY customer_id DESC LIMIT 1
), posted AS (
    SELECT t.member_id, coalesce(sum(points_pending), 0) AS pending, coalesce(sum(points_available), 0) AS available,
        coalesce(sum(points_held), 0) AS held, coalesce(sum(points_blocked), 0) AS blocked,
        coalesce(sum(growth_available), 0) AS growth,
        coalesce(sum(growth_available) FILTER (WHERE effective_at < m.growth_from), 0) AS growth_before,
        sum(num_nonnulls(points_pending, points_available, points_held, points_blocked, points_issued, points_redeemed,
            points_expired, points_adjusted, growth_available, growth_issued)) AS entries
    FROM transaction t JOIN m ON m.customer_id = t.member_id
        AND t.member_id > :after AND t.member_id <= (SELECT id FROM last)
    GROUP BY t.member_id
), used AS (
    SELECT u.member_id, u.lot_id, sum(u.points) AS points FROM lot_use u
    WHERE u.member_id > :after AND u.member_id <= (SELECT id FROM last) GROUP BY u.member_id, u.lot_id
), lots AS (
    SELECT l.member_id, sum(remaining) AS remaining, sum(reserved) AS reserved,
        count(*) FILTER (WHERE l.points - coalesce(used.points, 0) <> remaining) AS misused,
        coalesce(sum(remaining) FILTER (WHERE state = 'pending'), 0) AS pending,
        coalesce(sum(remaining) FILTER (WHERE state = 'blocked'), 0) AS blocked,
        coalesce(sum(remaining - reserved) FILTER (WHERE state = 'available'), 0) AS free
    FROM lot l LEFT JOIN used ON used.member_id = l.member_id AND used.lot_id = l.id
    WHERE l.member_id > :after AND l.member_id <= (SELECT id FROM last) GROUP BY l.member_id
), holds AS (
    SELECT h.member_id, sum(h.points) AS points FROM hold h JOIN m ON m.customer_id = h.member_id
    WHERE h.status = 'open' GROUP BY h.member_id
), tiers AS (
    SELECT DISTINCT ON (c.member_id) c.member_id, c.tier FROM tier_change c
    WHERE c.member_id > :after AND c.member_id <= (SELECT id FROM last) AND """  # noqa: S608 - constants of these modules
    + ON_RECORD
    + """
    ORDER BY c.member_id, c.since DESC, c.id DESC
), checked AS (
    SELECT m.customer_id, coalesce(posted.entries, 0) AS entries, jsonb_strip_nulls(jsonb_build_object(
        'pending', CASE WHEN m.pending <> coalesce(posted.pending, 0) OR m.pending <> coalesce(lots.pending, 0)
            THEN jsonb_build_array(m.pending, posted.pending, lots.pending) END,
        'available', CASE WHEN m.available <> coalesce(posted.available, 0)
            OR m.available <> coalesce(lots.free, 0) - m.deficit
            THEN jsonb_build_array(m.available, posted.available, lots.free, m.deficit) END,
        'held', CASE WHEN m.held <> coalesce(posted.held, 0) OR m.held <> coalesce(lots.reserved, 0)
            OR m.held <> coalesce(holds.points, 0)
            THEN jsonb_build_array(m.held, posted.held, lots.reserved, holds.points) END,
        'blocked', CASE WHEN m.blocked <> coalesce(posted.blocked, 0) OR m.blocked <> coalesce(lots.blocked, 0)
            THEN jsonb_build_array(m.blocked, posted.blocked, lots.blocked) END,
        'lots', CASE WHEN lots.misused > 0 THEN jsonb_build_array(lots.misused) END,
        'sum', CASE WHEN m.pending + m.available + m.held + m.blocked <> coalesce(lots.remaining, 0) - m.deficit
            THEN jsonb_build_array(m.pending + m.available + m.held + m.blocked, lots.remaining, m.deficit) END,
        'growth', CASE WHEN m.growth <> coalesce(posted.growth, 0)
            OR m.growth_before <> coalesce(posted.growth_before, 0)
            THEN jsonb_build_array(m.growth, posted.growth, m.growth_before, posted.growth_before) END,
        'tier', CASE WHEN m.merged_into IS NULL
            AND (m.tier <> tiers.tier OR (tiers.tier IS NULL AND m.tier_since IS NOT NULL))
            THEN jsonb_build_array(m.tier, tiers.tier) END
    )) AS wrong
    FROM m LEFT JOIN posted ON posted.member_id = m.customer_id LEFT JOIN lots ON lots.member_id = m.customer_id
        LEFT JOIN holds ON holds.member_id = m.customer_id LEFT JOIN tiers ON tiers.member_id = m.customer_id
)
SELECT count(*) AS accounts, coalesce(sum(entries), 0) AS entries, count(*) FILTER (WHERE wrong <> '{}') AS mismatches,
    coalesce(jsonb_agg(jsonb_build_object('customer_id', customer_id, 'wrong', wrong))
        FILTER (WHERE wrong <> '{}'), '[]') AS details,
    (SELECT id::text FROM last) AS last
FROM checked
"""
)


def accounts(session: Session, most: int) -> int:
    """How many accounts there are, counted up to ``most``."""
    found = text("SELECT count(*) FROM (SELECT FROM member LIMIT :most) AS counted")
    return int(session.scalar(found, {"most": most}) or 0)


def reconcile(session: Session, after: str | None = None) -> dict[str, Any]:
    """Check every account now, or those whose customer id is greater than ``after``."""
    session.execute(text("SET LOCAL work_mem = '64MB'"))
    result, after = _nothing(), after or str(uuid.UUID(int=0))
    while after:
        after = _check(session, result, after) or ""
    _tell(result)
    return result


def reconcile_step(context: Context, job: JobRow) -> bool:
    """The same as a job, a step of accounts per transaction."""
    result = job.params.get("result") or _nothing()
    after = _check(context.session, result, job.params.get("after") or str(uuid.UUID(int=0)))
    job.done = result["accounts"]
    job.params = {"after": after, "result": result}
    if after is None:
        job.result = result
        _tell(result)
    return after is not None


def reconcile_nightly(context: Context) -> bool:
    """Every night, and after restores."""
    start(context.session, context.clock, JOB, {})
    return False


def _check(session: Session, result: dict[str, Any], after: str) -> str | None:
    row = session.execute(_CHECK, {"after": after, "step": STEP}).mappings().one()
    for name in ("accounts", "entries", "mismatches"):
        result[name] += int(row[name])
    result["details"] = (result["details"] + row["details"])[:SHOWN]
    last: str | None = row["last"]
    return last if row["accounts"] == STEP else None


def _nothing() -> dict[str, Any]:
    return {"accounts": 0, "entries": 0, "mismatches": 0, "details": []}


def _tell(result: dict[str, Any]) -> None:
    if result["mismatches"]:
        log.error("the books do not agree", **{name: result[name] for name in ("accounts", "mismatches")})
