"""The outbox: an event is announced in the transaction of its cause, so that neither exists without the other.

Rows are written after the aggregate was locked or version-checked. Row ids of one aggregate therefore ascend in
commit order, and the relay, which publishes each partition in the order of ids, keeps the aggregate's order.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from zlib import crc32

from sqlalchemy import Identity, LargeBinary, SmallInteger, text
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.ids import derived_id
from chassis.messaging.event import Event
from chassis.storage import wire
from chassis.storage.bulk import copy_rows, copy_wired
from chassis.storage.schema import ChassisBase
from chassis.telemetry import current_traceparent

PARTITIONS = 16  # stripes of the outbox; each is published by one relay at a time
CHANNEL = "kezhi_outbox"  # LISTEN/NOTIFY: a hint that hurries the relay's next look, never the truth
_SEQUENCE_DIGITS = 20  # zero-padded, so that texts compare as the numbers do


class OutboxRow(ChassisBase):
    """One finished message: pending, published, or failed with its error. Failed rows stay until someone decides."""

    __tablename__ = "outbox"

    id: Mapped[int] = mapped_column(Identity(always=True), primary_key=True)
    partition: Mapped[int] = mapped_column(SmallInteger)
    event_id: Mapped[str]
    type: Mapped[str]
    family: Mapped[str]
    routing_key: Mapped[str]
    partitionkey: Mapped[str]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    status: Mapped[str] = mapped_column(server_default="pending")
    attempts: Mapped[int] = mapped_column(server_default="0")
    not_before: Mapped[datetime | None]
    error: Mapped[str | None]
    published_at: Mapped[datetime | None]


_COLUMNS = ("partition", "event_id", "type", "family", "routing_key", "partitionkey", "body", "created_at")
HINT = f"SELECT pg_notify('{CHANNEL}', '')"  # PostgreSQL keeps one per transaction
# RETURNING carries the hint, so that announcing costs one round trip.
_INSERT = f"""
    INSERT INTO chassis.outbox ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
    RETURNING pg_notify('{CHANNEL}', '')
"""  # noqa: S608 - the names are constants of this module
_COPY = f"COPY chassis.outbox ({', '.join(_COLUMNS)}) FROM STDIN (FORMAT binary)"
_COLUMN_TYPES = ("int2", "text", "text", "text", "text", "text", "bytea", "timestamptz")


def partition_of(partitionkey: str) -> int:
    """The stripe of an aggregate, the same in every process and for ever."""
    return crc32(partitionkey.encode()) % PARTITIONS


def announce(
    session: Session,
    type: str,
    *,
    subject: str,
    data: dict[str, Any],
    key: str,
    partitionkey: str | None = None,
    sequence: int | str | None = None,
    policyversion: str | None = None,
    time: datetime | None = None,
) -> Event:
    """Build an event of this service and put it into the outbox of the running transaction.

    ``key`` is the business key of the fact: the same key and type give the same event id for ever (decision 3).
    ``sequence`` is the aggregate's version for state events (decision 1).
    """
    event = draft(
        session,
        type,
        subject=subject,
        data=data,
        key=key,
        partitionkey=partitionkey,
        sequence=sequence,
        policyversion=policyversion,
        time=time,
    )
    record_one(session, event)
    return event


def draft(
    session: Session,
    type: str,
    *,
    subject: str,
    data: dict[str, Any],
    key: str,
    partitionkey: str | None = None,
    sequence: int | str | None = None,
    policyversion: str | None = None,
    time: datetime | None = None,
) -> Event:
    """The event that ``announce`` would write, unwritten: for ``record`` and for snapshots."""
    source = f"/kezhi/{session.info['service']}"
    return Event(
        id=str(derived_id(source, key, type)),
        source=source,
        type=type,
        subject=subject,
        time=time or session.info["clock"].now(),
        data=data,
        partitionkey=partitionkey,
        sequence=f"{sequence:0{_SEQUENCE_DIGITS}d}" if isinstance(sequence, int) else sequence,
        policyversion=policyversion,
        traceparent=current_traceparent(),
    )


def record_one(session: Session, event: Event) -> None:
    """Put a drafted event into the outbox."""
    row = _row(event, "events", event.to_json(), session.info["clock"].now())
    session.connection().exec_driver_sql(_INSERT, dict(zip(_COLUMNS, row, strict=True)))


def rows(session: Session, events: Iterable[Event]) -> list[OutboxRow]:
    """The rows that announce these events, for a transaction that writes all it has made at once (``write_new``)."""
    now = session.info["clock"].now()
    made = (zip(_COLUMNS, _row(event, "events", event.to_json(), now), strict=True) for event in events)
    return [OutboxRow(**dict(row)) for row in made]


def record(session: Session, events: Sequence[Event], exchange_family: str = "events") -> None:
    """Put many finished events into the outbox in one COPY: the hot path of batches."""
    if events:
        now = session.info["clock"].now()
        _copy(session, [_row(event, exchange_family, event.to_json(), now) for event in events])


def record_bodies(session: Session, finished: Iterable[tuple[str, str, str, bytes]]) -> None:
    """``record`` for bodies that the caller made itself: (event id, type, partitionkey, body)."""
    head, family = wire.row(len(_COLUMNS)), wire.text("events")
    now = wire.instant(session.info["clock"].now())
    types: dict[str, bytes] = {}
    rows = []
    for id_, type_, key, body in finished:
        known = types.get(type_) or types.setdefault(type_, wire.text(type_))
        rows.append(
            b"".join(
                (
                    head, wire.small(partition_of(key)), wire.text(id_), known, family, known, wire.text(key),
                    wire.raw(body), now,
                )
            )
        )  # fmt: skip
    if rows:
        copy_wired(session, _COPY, rows)
        session.execute(text(HINT))


def forward(session: Session, bodies: Iterable[bytes]) -> None:
    """Have the relay publish other systems' bodies, unchanged, as they would have done themselves (decision 4).

    The bodies were validated by the caller; raises Malformed otherwise.
    """
    now = session.info["clock"].now()
    rows = [_row(Event.from_json(body), "purchases", body, now) for body in bodies]
    if rows:
        _copy(session, rows)


def revive(session: Session, ids: Sequence[int] | None = None) -> int:
    """Give failed rows (all, or those named) a new life in the relay; returns how many."""
    changed = session.execute(
        text(
            "UPDATE chassis.outbox SET status = 'pending', attempts = 0, not_before = NULL "
            "WHERE status = 'failed' AND (CAST(:ids AS bigint[]) IS NULL OR id = ANY(CAST(:ids AS bigint[])))"
        ),
        {"ids": None if ids is None else list(ids)},
    )
    return int(changed.rowcount)  # type: ignore[attr-defined]


def _copy(session: Session, rows: list[tuple[Any, ...]]) -> None:
    copy_rows(session, "chassis.outbox", _COLUMNS, rows, _COLUMN_TYPES)
    session.execute(text(HINT))


def _row(event: Event, family: str, body: bytes, created_at: datetime) -> tuple[Any, ...]:
    key = event.partitionkey or event.subject
    return (partition_of(key), event.id, event.type, family, event.type, key, body, created_at)
