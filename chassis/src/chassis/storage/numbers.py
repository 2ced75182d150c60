"""Numbers without gaps, for people: complaint 2026-000017 follows 2026-000016, whatever crashed in between.

The series' row stays locked until the caller's transaction ends: a rollback gives its numbers back, and the next
taker waits for the outcome. Take a block at once where many are needed (imports), and take late in a transaction.
"""

from __future__ import annotations

from sqlalchemy import BigInteger
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.storage.schema import ChassisBase


class NumberSeries(ChassisBase):
    """The next free number of a series."""

    __tablename__ = "number_series"

    series: Mapped[str] = mapped_column(primary_key=True)
    next: Mapped[int] = mapped_column(BigInteger)


_TAKE = """
    INSERT INTO chassis.number_series AS known (series, next) VALUES (%(series)s, %(count)s + 1)
    ON CONFLICT (series) DO UPDATE SET next = known.next + %(count)s
    RETURNING next
"""


def take(session: Session, series: str, count: int = 1) -> range:
    """The next ``count`` numbers of ``series``, starting at 1; they are spent when the transaction commits."""
    if count < 1:
        raise ValueError("take at least one number")
    end = session.connection().exec_driver_sql(_TAKE, {"series": series, "count": count}).scalar_one()
    return range(end - count, end)


def taken(session: Session, series: str) -> int:
    """How many numbers the series has given so far."""
    row = session.get(NumberSeries, series)
    return row.next - 1 if row else 0
