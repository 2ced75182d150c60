"""Members hear in time that points will lapse: as often as the pack says, each time all of theirs in one word (CG-22).

A notice that is late - nothing ran that day - is told when it can be; of two that are due at once only the nearer is.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import groupby
from operator import attrgetter
from typing import Any
from uuid import UUID

from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert

from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.policies.book import Policy
from chassis.policies.company import Company
from chassis.runtime import Context
from loyalty.expiry.tables import ExpiryNotice

STEP = 2000  # ends of members' points that are looked at together
_NOBODY = UUID(int=0)

# One run goes through the members in the order of their ids, so that no step looks at those of the steps before.
_REACHED = text("SELECT member_id FROM expiry_notice WHERE told_at = :run ORDER BY member_id DESC LIMIT 1")
_DUE = text("""
    SELECT l.member_id, l.expires_at, sum(l.remaining - l.reserved)::bigint AS points, w.ahead
    FROM lot l JOIN member m ON m.customer_id = l.member_id AND m.status = 'active',
        LATERAL (
            SELECT min(days) AS ahead FROM unnest(CAST(:days AS int[]), CAST(:ends AS timestamptz[])) AS n (days, until)
            WHERE l.expires_at <= n.until
        ) AS w
    WHERE l.member_id > :after AND l.state = 'available' AND l.remaining > l.reserved
        AND l.expires_at > :now AND l.expires_at <= :until
        AND NOT EXISTS (
            SELECT FROM expiry_notice told
            WHERE told.member_id = l.member_id AND told.expires_at = l.expires_at AND told.ahead <= w.ahead
        )
    GROUP BY l.member_id, l.expires_at, w.ahead ORDER BY l.member_id, w.ahead, l.expires_at LIMIT :step
""")
_FORGET = text("DELETE FROM expiry_notice WHERE expires_at < :long_ago")
_KEPT = timedelta(days=90)  # after the end that a notice spoke of


def notify_of_expiry(context: Context) -> bool:
    """One step: tell members what lapses within the pack's notices; True while there may be more."""
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    windows = _windows(policy, now)
    if not windows:
        return False
    run = policy.company.end_of(policy.company.day_of(now)) - timedelta(days=1)  # of today: the same for all its steps
    after = session.scalar(_REACHED, {"run": run})
    if after is None:
        session.execute(_FORGET, {"long_ago": now - _KEPT})
    asked = {
        "after": after or _NOBODY, "now": now, "until": windows[-1][1], "days": [days for days, _ in windows],
        "ends": [until for _, until in windows], "step": STEP,
    }  # fmt: skip
    rows: Sequence[Any] = session.execute(_DUE, asked).all()
    full = len(rows) == STEP
    if full and rows[0].member_id != rows[-1].member_id:  # the last member's may go on beyond the step
        rows = [row for row in rows if row.member_id != rows[-1].member_id]
    if not rows:
        return False
    told = [{"member_id": row.member_id, "expires_at": row.expires_at, "ahead": row.ahead, "told_at": run}
            for row in rows]  # fmt: skip
    session.execute(insert(ExpiryNotice).on_conflict_do_nothing(), told)
    outbox.record(session, [_event(context, policy, *one) for one in _by_member(rows)])
    return full


def _windows(policy: Policy, now: datetime) -> list[tuple[int, datetime]]:
    """The pack's notices, the nearest first: days ahead, and the end of the last day they speak of."""
    company: Company = policy.company
    today = company.day_of(now)
    ends = sorted({notice.later(today) for notice in policy.rules.expiry.notices})
    return [((last - today).days, company.end_of(last)) for last in ends]


def _by_member(rows: Sequence[Any]) -> list[tuple[UUID, int, list[Any]]]:
    return [(member, ahead, list(found)) for (member, ahead), found in groupby(rows, attrgetter("member_id", "ahead"))]


def _event(context: Context, policy: Policy, member_id: UUID, ahead: int, rows: Sequence[Any]) -> Event:
    company: Company = policy.company
    last_days = [company.day_of(row.expires_at - timedelta(microseconds=1)) for row in rows]
    data = {
        "customer_id": str(member_id),
        "notice_days": ahead,
        "points": sum(row.points for row in rows),
        "expiring": [
            {"points": row.points, "on": on.isoformat()} for row, on in zip(rows, last_days, strict=True)
        ],
    }  # fmt: skip
    key = f"expiring:{member_id}:{ahead}:{','.join(day.isoformat() for day in last_days)}"
    return outbox.draft(
        context.session, "points.expiring.v1", subject=str(member_id), data=data, key=key,
        partitionkey=str(member_id), policyversion=policy.version,
    )  # fmt: skip
