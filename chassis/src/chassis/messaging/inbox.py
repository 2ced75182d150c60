"""The inbox: a delivery is claimed in the transaction of its effect, so that a second one has none.

Rows are kept longer than any replay horizon; the raw bodies for 14 days (decision 9), see ``retention``.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any, cast

from psycopg import Cursor
from psycopg.errors import UniqueViolation
from sqlalchemy import LargeBinary
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.messaging.delivery import Delivery
from chassis.storage import wire
from chassis.storage.schema import ChassisBase


class InboxRow(ChassisBase):
    """One delivery that a subscription has taken, for ever."""

    __tablename__ = "inbox"

    subscription: Mapped[str] = mapped_column(primary_key=True)
    source: Mapped[str] = mapped_column(primary_key=True)
    event_id: Mapped[str] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    body: Mapped[bytes | None] = mapped_column(LargeBinary)


_CLAIM = """
    INSERT INTO chassis.inbox (subscription, source, event_id, received_at, body)
    SELECT %s, source, event_id, %s, body
    FROM unnest(%b::text[], %b::text[], %b::bytea[]) AS given (source, event_id, body)
    ON CONFLICT DO NOTHING
    RETURNING source, event_id
"""
_COPY = "COPY chassis.inbox (subscription, source, event_id, received_at, body) FROM STDIN (FORMAT binary)"
_MANY = 20  # deliveries from which on the hope that all are new pays for its savepoint
_RELEASE = """
    DELETE FROM chassis.inbox USING unnest(%b::text[], %b::text[]) AS given (source, event_id)
    WHERE inbox.subscription = %s AND inbox.source = given.source AND inbox.event_id = given.event_id
"""


def raw_cursor(session: Session) -> Cursor[Any]:
    """psycopg's own cursor on the session's transaction: arrays go over in binary, without a detour."""
    return cast("Cursor[Any]", session.connection().connection.cursor())


def claim(session: Session, subscription: str, deliveries: Sequence[Delivery]) -> list[Delivery]:
    """Claim deliveries inside the running transaction; returns those seen for the first time, in their order.

    A batch may hold the same event twice: joining RETURNING back to the batch would then apply it twice, so the
    batch is deduplicated before it meets the table. A rival transaction that holds the same key makes this one wait
    until it is known which of them won.
    """
    first: dict[tuple[str, str], Delivery] = {}
    for delivery in deliveries:
        first.setdefault((delivery.event.source, delivery.event.id), delivery)
    # Sorted: two workers that were given overlapping batches wait for each other instead of deadlocking.
    keys = sorted(first)
    now = session.info["clock"].now()
    with raw_cursor(session) as cursor:
        if len(keys) >= _MANY and _copied(cursor, subscription, now, [first[key] for key in keys]):
            return list(first.values())
        cursor.execute(
            _CLAIM,
            (
                subscription,
                now,
                [source for source, _ in keys],
                [event_id for _, event_id in keys],
                [first[key].body for key in keys],
            ),
        )
        fresh = set(cursor.fetchall())
    if len(fresh) == len(first):
        return list(first.values())
    return [delivery for key, delivery in first.items() if key in fresh]


def _copied(cursor: Cursor[Any], subscription: str, now: datetime, deliveries: Sequence[Delivery]) -> bool:
    """Claim all by one COPY, twice as quick as INSERT; False, and nothing claimed, when one of them is known."""
    head, at = wire.row(5) + wire.text(subscription), wire.instant(now)
    rows = [
        b"".join((head, wire.text(one.event.source), wire.text(one.event.id), at, wire.raw(one.body)))
        for one in deliveries
    ]
    cursor.execute("SAVEPOINT claim")
    try:
        with cursor.copy(_COPY) as copy:
            copy.write(wire.copied(rows))
    except UniqueViolation:
        cursor.execute("ROLLBACK TO SAVEPOINT claim")
        return False
    cursor.execute("RELEASE SAVEPOINT claim")
    return True


def release(session: Session, subscription: str, deliveries: Sequence[Delivery]) -> None:
    """Take back claims of the running transaction: a rejected delivery claims nothing, so that it can be replayed."""
    with raw_cursor(session) as cursor:
        cursor.execute(
            _RELEASE,
            (
                [delivery.event.source for delivery in deliveries],
                [delivery.event.id for delivery in deliveries],
                subscription,
            ),
        )
