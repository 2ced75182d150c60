"""Everything that must happen at a time is a row; a poller hands it to its handler once, whoever is alive.

The row is deleted and its handler runs in one transaction: a process that is killed leaves both undone, one that
commits leaves both done. Rows are taken with ``FOR UPDATE SKIP LOCKED``, so any number of pollers share the work.
A handler that fails keeps its row, with the error, and is tried again after a growing pause; no row is ever dropped.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from prometheus_client import Counter, Gauge
from sqlalchemy import Index, delete, func, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.runtime import Context
from chassis.storage.schema import ChassisBase

if TYPE_CHECKING:
    from chassis.runtime import Runtime

log = structlog.get_logger()

DONE = Counter("kezhi_due_done_total", "Due rows whose handler succeeded", ["kind"])
FAILED = Counter("kezhi_due_failed_total", "Attempts of due rows that failed", ["kind"])
WAITING = Gauge("kezhi_due_waiting", "Rows that are due and not taken yet", multiprocess_mode="mostrecent")
FAILING = Gauge("kezhi_due_failing", "Rows that failed and will be tried again", multiprocess_mode="mostrecent")

BATCH = 50
PATIENCE = 0.5  # seconds a transaction may collect finished rows before it commits
LONGEST_PAUSE = timedelta(hours=1)
MEASURE_EVERY = 5.0  # seconds
AT_ONCE = 0.02  # seconds between two looks while work keeps coming


class DueRow(ChassisBase):
    """One thing to do at ``due_at``. ``try_at`` is later than that only after failures."""

    __tablename__ = "due"
    __table_args__ = (
        Index("ix_due_try_at", "try_at"),
        Index("ix_due_failing", "kind", postgresql_where=text("attempts > 0")),
    )

    kind: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    due_at: Mapped[datetime]
    try_at: Mapped[datetime]
    payload: Mapped[dict[str, Any]]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]


def schedule(session: Session, kind: str, key: str, due_at: datetime, payload: dict[str, Any] | None = None) -> None:
    """Have ``kind``'s handler called with ``key`` at ``due_at``; an open row of that kind and key is moved."""
    schedule_many(session, kind, [(key, due_at, payload or {})])


def new_row(kind: str, key: str, due_at: datetime) -> DueRow:
    """What ``schedule`` writes for a key that was born in this transaction, unwritten (``storage.writing``)."""
    return DueRow(kind=kind, key=key, due_at=due_at, try_at=due_at, payload={}, attempts=0)


def schedule_many(session: Session, kind: str, rows: Iterable[tuple[str, datetime, dict[str, Any]]]) -> None:
    """Many rows of one kind in one statement; of two with the same key the later one counts."""
    values = {
        key: {"kind": kind, "key": key, "due_at": due_at, "try_at": due_at, "payload": payload, "attempts": 0}
        for key, due_at, payload in rows
    }
    if not values:
        return
    statement = insert(DueRow)
    moved = {name: statement.excluded[name] for name in ("due_at", "try_at", "payload", "attempts")}
    statement = statement.on_conflict_do_update(index_elements=["kind", "key"], set_={**moved, "error": None})
    session.execute(statement, [values[key] for key in sorted(values)])


def cancel(session: Session, kind: str, key: str) -> bool:
    """Take the row back; False when there is none (any more)."""
    gone = session.execute(delete(DueRow).where(DueRow.kind == kind, DueRow.key == key).returning(DueRow.key))
    return gone.first() is not None


def pause_after(attempts: int) -> timedelta:
    """How long to wait after so many failures: 5 s, 10 s, 20 s … an hour."""
    return min(timedelta(seconds=5 * 2 ** min(attempts - 1, 12)), LONGEST_PAUSE)


@dataclass
class DuePoller:
    """Hands due rows to the handlers of one service.

    It looks away for a quarter of the time in which nothing came, ``interval`` seconds at most: whoever starts a job
    after another one is not kept waiting, and a quiet night costs two looks a second.
    """

    runtime: Runtime
    interval: float = 0.5

    def tick(self) -> int:
        """Take what is due now, up to one transaction's worth; how many rows were tried (0: nothing is due)."""
        handlers = self.runtime.service.due
        if not handlers:
            return 0
        started, tried = time.monotonic(), 0
        with self.runtime.context() as context:
            for row in self._take(context):
                self._try(context, row)
                tried += 1
                if time.monotonic() - started > PATIENCE:
                    break  # the rest stays due and unlocked for whoever comes next
        return tried

    def drain(self) -> int:
        """Do all that is due now; how many rows were tried. For tests and one-off commands."""
        total = 0
        while tried := self.tick():
            total += tried
        return total

    def run(self, stop: threading.Event) -> None:
        """Poll until told to stop; a database that is away is waited for."""
        measured, last = 0.0, time.monotonic()
        while not stop.is_set():
            try:
                tried = self.tick()
                if time.monotonic() - measured > MEASURE_EVERY:
                    self._measure()
                    measured = time.monotonic()
            except DBAPIError as away:
                log.warning("due rows wait for the database", error=str(away.orig))
                tried = 0
            if tried:
                last = time.monotonic()
            else:
                stop.wait(self._pause(time.monotonic() - last))

    def _pause(self, idle: float) -> float:
        return min(self.interval, max(AT_ONCE, idle / 4))

    def _take(self, context: Context) -> list[DueRow]:
        # kinds that this version doesn't know are left for the version that does
        known = list(self.runtime.service.due)
        statement = select(DueRow).where(DueRow.try_at <= context.clock.now(), DueRow.kind.in_(known))
        statement = statement.order_by(DueRow.try_at, DueRow.kind, DueRow.key).limit(BATCH)
        rows = list(context.session.scalars(statement.with_for_update(skip_locked=True)))
        for row in rows:
            context.session.expunge(row)
        return rows

    def _try(self, context: Context, row: DueRow) -> None:
        session = context.session
        mine = (DueRow.kind == row.kind, DueRow.key == row.key)
        try:
            with session.begin_nested():
                # deleted before the handler runs: what the handler schedules under the same key is a new row
                session.execute(delete(DueRow).where(*mine))
                self.runtime.service.due[row.kind](context, row)
        except Exception as failure:
            if isinstance(failure, DBAPIError) and failure.connection_invalidated:
                raise
            FAILED.labels(row.kind).inc()
            log.exception("due row failed", kind=row.kind, key=row.key, attempts=row.attempts + 1)
            attempts = row.attempts + 1
            later = context.clock.now() + pause_after(attempts)
            error = f"{type(failure).__name__}: {failure}"[:2000]
            change = update(DueRow).where(*mine).values(attempts=attempts, error=error, try_at=later)
            session.execute(change, execution_options={"synchronize_session": False})
        else:
            DONE.labels(row.kind).inc()

    def _measure(self) -> None:
        with self.runtime.sessions() as session:
            count = select(func.count()).select_from(DueRow)
            WAITING.set(session.execute(count.where(DueRow.try_at <= self.runtime.clock.now())).scalar_one())
            FAILING.set(session.execute(count.where(DueRow.attempts > 0)).scalar_one())
