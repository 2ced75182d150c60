"""Lock-out with delay: after some failures in a row a username must wait, longer each time.

Kept per username as typed (folded, hashed), whether or not the account exists, so that waiting tells a
stranger nothing. A success clears the count; so does a day without failures.
"""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.clock import Clock
from gateway.signin.tables import FailedSignIns

FREE_FAILURES = 5
FIRST_DELAY = timedelta(seconds=30)
LONGEST_DELAY = timedelta(minutes=15)
FORGOTTEN_AFTER = timedelta(days=1)


def delay_after(failures: int) -> timedelta:
    """30 s after the fifth failure in a row, doubling with each further one up to 15 minutes."""
    if failures < FREE_FAILURES:
        return timedelta(0)
    return min(FIRST_DELAY * 2 ** min(failures - FREE_FAILURES, 10), LONGEST_DELAY)


def waiting_until(session: Session, username: str, now: datetime) -> datetime | None:
    """When this username may try again; None when it may now. Holds the row, so that guesses queue up."""
    row = session.scalar(select(FailedSignIns).where(FailedSignIns.username_hash == _key(username)).with_for_update())
    return row.locked_until if row and row.locked_until and row.locked_until > now else None


def note_failure(session: Session, username: str, now: datetime) -> None:
    """Count one more failure in a row and set the wait that follows from it."""
    counted = (
        insert(FailedSignIns)
        .values(username_hash=_key(username), failures=1, last_at=now)
        .on_conflict_do_update(
            index_elements=[FailedSignIns.username_hash],
            set_={"failures": FailedSignIns.failures + 1, "last_at": now},
        )
        .returning(FailedSignIns)
    )
    row = session.scalars(counted, execution_options={"populate_existing": True}).one()
    delay = delay_after(row.failures)
    row.locked_until = now + delay if delay else None


def forgive(session: Session, username: str) -> None:
    """A success: the count begins anew."""
    session.execute(delete(FailedSignIns).where(FailedSignIns.username_hash == _key(username)))


def forget_old_failures(session: Session, clock: Clock) -> None:
    """Drop counts that a day without failures has made void."""
    session.execute(delete(FailedSignIns).where(FailedSignIns.last_at < clock.now() - FORGOTTEN_AFTER))


def _key(username: str) -> bytes:
    return hashlib.sha256(username.encode()).digest()
