"""What moved: opening + issued - redeemed - expired ± adjusted = closing, month by month, and it always adds up.

A month is that of the booking (``recorded_at``, in company time), so a month that is over never changes: what comes
late is booked late. The closing balance is computed twice, from the programme's counters and from what the members'
accounts hold now; the report says whether the two agree.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy

# One row per month of the span; everything before it has month '', what was booked after it '~'. `held` is what the
# members' accounts hold now: one statement, so one snapshot.
_MOVED = text("""
    SELECT CASE WHEN recorded_at < :start THEN '' WHEN recorded_at >= :end THEN '~'
                ELSE to_char(recorded_at AT TIME ZONE :zone, 'YYYY-MM') END AS month,
        coalesce(-sum(points_issued), 0) AS issued,
        coalesce(sum(points_issued) FILTER (WHERE kind = 'refund'), 0) AS reversed,
        coalesce(sum(points_redeemed), 0) AS redeemed,
        coalesce(sum(points_expired), 0) AS expired,
        coalesce(-sum(points_adjusted), 0) AS adjusted,
        coalesce(sum(coalesce(points_pending, 0) + coalesce(points_available, 0) + coalesce(points_held, 0)
                     + coalesce(points_blocked, 0)), 0) AS moved,
        (SELECT coalesce(sum(pending + available + held + blocked), 0) FROM member) AS held
    FROM transaction GROUP BY 1
""")


@dataclass(frozen=True, slots=True)
class Movement:
    """What one span of time did to the points outstanding. ``issued`` is net of ``reversed``, what refunds took."""

    issued: int = 0
    reversed: int = 0
    redeemed: int = 0
    expired: int = 0
    adjusted: int = 0

    @property
    def net(self) -> int:
        """By how much the points outstanding grew."""
        return self.issued - self.redeemed - self.expired + self.adjusted

    def shown(self, opening: int) -> dict[str, int]:
        """The line of the report."""
        names = ("issued", "reversed", "redeemed", "expired", "adjusted")
        return {
            "opening": opening,
            **{name: getattr(self, name) for name in names},
            "closing": opening + self.net,
        }


def movements(session: Session, policy: Policy, first: date, last: date) -> dict[str, Any]:
    """The report over the company days ``first`` to ``last``, both included; whole points."""
    company = policy.company
    start, end = company.end_of(first - timedelta(days=1)), company.end_of(last)
    found = session.execute(_MOVED, {"start": start, "end": end, "zone": company.time_zone.key}).mappings().all()
    booked = {row["month"]: _movement(row) for row in found}
    opening = booked.pop("", Movement()).net
    booked.pop("~", None)
    held = int(found[0]["held"]) - sum(int(row["moved"]) for row in found if row["month"] == "~") if found else 0
    months, total = [], _sum(booked.values())
    before = opening
    for month in _months(first, last):
        line = booked.get(month, Movement()).shown(before)
        months.append({"month": month, **line})
        before = line["closing"]
    return {
        "from": first,
        "to": last,
        **total.shown(opening),
        "held_by_members": held,
        "agrees": held == opening + total.net,
        "months": months,
        "clause": policy.rules.points.clause,
        "policyversion": policy.version,
    }


def redemption_rate(session: Session, since: datetime, until: datetime) -> tuple[int, int]:
    """Points redeemed and points issued (net of refunds) that were booked in (since, until]."""
    row = session.execute(_RATE, {"since": since, "until": until}).one()
    return int(row.redeemed), int(row.issued)


_RATE = text("""
    SELECT coalesce(sum(points_redeemed), 0) AS redeemed, coalesce(-sum(points_issued), 0) AS issued
    FROM transaction WHERE recorded_at > :since AND recorded_at <= :until
      AND (points_redeemed IS NOT NULL OR points_issued IS NOT NULL)
""")


def _movement(row: Mapping[Any, Any]) -> Movement:
    return Movement(*(int(row[name]) for name in ("issued", "reversed", "redeemed", "expired", "adjusted")))


def _sum(parts: Iterable[Movement]) -> Movement:
    listed: Sequence[Movement] = list(parts)
    names = ("issued", "reversed", "redeemed", "expired", "adjusted")
    return Movement(*(sum(getattr(part, name) for part in listed) for name in names))


def _months(first: date, last: date) -> Iterator[str]:
    month = first.replace(day=1)
    while month <= last:
        yield f"{month:%Y-%m}"
        month = (month + timedelta(days=31)).replace(day=1)
