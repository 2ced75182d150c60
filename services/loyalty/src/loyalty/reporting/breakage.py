"""What of the points outstanding will never be redeemed, as far as our own past tells.

The estimate is the plainest one that an auditor can redo: of all lots whose life ended in the 24 months before, the
points that expired as a share of those that expired or were redeemed. Lots still alive say nothing (those that will
be redeemed early are gone already), and what a refund or a merge took out of a lot was neither. A programme in which
no lot has come to its end yet has no rate, and none is invented for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import ROUND_HALF_UP, Decimal

from sqlalchemy import text
from sqlalchemy.orm import Session

LOOK_BACK = "24 months"
_PLACES = Decimal("0.0001")

_ENDED = text(f"""
    SELECT count(DISTINCT (l.member_id, l.id)) AS lots,
        coalesce(sum(u.points) FILTER (WHERE t.points_expired > 0), 0) AS expired,
        coalesce(sum(u.points) FILTER (WHERE t.points_redeemed > 0), 0) AS redeemed
    FROM lot l
    JOIN lot_use u ON u.member_id = l.member_id AND u.lot_id = l.id
    JOIN transaction t ON t.member_id = u.member_id AND t.id = u.transaction_id
    WHERE l.expires_at <= :now AND l.expires_at > :now - interval '{LOOK_BACK}'
      AND (t.points_expired > 0 OR t.points_redeemed > 0)
""")  # noqa: S608 - a constant of this module


@dataclass(frozen=True, slots=True)
class History:
    """What became of the lots whose life ended lately: points expired, points redeemed."""

    lots: int
    expired: int
    redeemed: int

    @property
    def rate(self) -> Decimal | None:
        """The share that expired, to four places; None while no lot has ended."""
        return share(self.expired, self.expired + self.redeemed)


def history(session: Session, now: datetime) -> History:
    """What the last 24 months tell."""
    row = session.execute(_ENDED, {"now": now}).one()
    return History(int(row.lots), int(row.expired), int(row.redeemed))


def share(part: int, whole: int) -> Decimal | None:
    """``part`` of ``whole`` to four places; None of nothing."""
    return (Decimal(part) / whole).quantize(_PLACES, ROUND_HALF_UP) if whole > 0 else None
