"""Recurring work, run once per turn by whoever is alive, in the company's time zone.

Each schedule is a row. Its lock is held for one step, and the last step moves ``next_at`` in the same transaction: two
workers never run the same turn, and a worker that dies mid-way leaves the turn open for the next one. Turns that
were missed while nothing ran are made up for by one run, not by many.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import structlog
from cronsim import CronSim
from prometheus_client import Counter
from sqlalchemy import select, text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.errors import Unavailable
from chassis.service import Schedule
from chassis.storage.schema import ChassisBase
from chassis.timing.due import pause_after

if TYPE_CHECKING:
    from chassis.runtime import Runtime

log = structlog.get_logger()

RUNS = Counter("kezhi_schedule_runs_total", "Turns of schedules that were completed", ["schedule"])
FAILURES = Counter("kezhi_schedule_failures_total", "Steps of schedules that failed", ["schedule"])


class ScheduleRow(ChassisBase):
    """When a schedule runs next, and how its last turn went; after failures ``try_at`` is later than ``next_at``."""

    __tablename__ = "schedule"

    name: Mapped[str] = mapped_column(primary_key=True)
    cron: Mapped[str]
    zone: Mapped[str]
    next_at: Mapped[datetime]
    try_at: Mapped[datetime]
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    attempts: Mapped[int] = mapped_column(default=0)
    error: Mapped[str | None]


# Plain statements: a service runs a dozen schedules, most of which find nothing to do, and building these costs more
# than asking them.
_MINE = text(
    "SELECT zone, attempts, started_at, next_at FROM chassis.schedule WHERE name = :name AND try_at <= :now "
    "FOR UPDATE SKIP LOCKED"
)
_FAILED = text("UPDATE chassis.schedule SET attempts = :attempts, error = :error, try_at = :later WHERE name = :name")
_GOES_ON = text("UPDATE chassis.schedule SET started_at = :started_at, attempts = 0, error = NULL WHERE name = :name")
_ENDED = text(
    "UPDATE chassis.schedule SET next_at = :turn, try_at = :turn, started_at = :started_at, "
    "finished_at = :finished_at, attempts = 0, error = NULL WHERE name = :name"
)


def next_turn(cron: str, zone: str, after: datetime) -> datetime:
    """The first turn strictly after an instant. Local times that a clock change skips or repeats run once."""
    return next(CronSim(cron, after.astimezone(ZoneInfo(zone)))).astimezone(UTC)


@dataclass
class ScheduleRunner:
    """Runs the schedules of one service; ``others`` are run beside those it declares (``chassis.housekeeping``)."""

    runtime: Runtime
    others: Sequence[Schedule] = ()
    interval: float = 1.0
    stop: threading.Event = field(default_factory=threading.Event)

    def tick(self) -> int:
        """Run every turn that is due to its end; how many turns were completed."""
        schedules = {schedule.name: schedule for schedule in (*self.others, *self.runtime.service.schedules)}
        if not schedules:
            return 0
        with self.runtime.sessions.begin() as session:
            self._enter(session, list(schedules.values()))
            now = self.runtime.clock.now()
            due = select(ScheduleRow.name).where(ScheduleRow.try_at <= now, ScheduleRow.name.in_(schedules))
            names = list(session.scalars(due.order_by(ScheduleRow.try_at)))
        return sum(self._turn(schedules[name]) for name in names)

    def run(self, stop: threading.Event) -> None:
        """Tick until told to stop; a turn that is under way stops after its present step and is taken up later."""
        self.stop = stop
        while not stop.is_set():
            try:
                self.tick()
            except Unavailable as empty:
                log.info("schedules wait for a policy", reason=empty.detail)
            except DBAPIError as away:
                log.warning("schedules wait for the database", error=str(away.orig))
            stop.wait(self.interval)

    def _enter(self, session: Session, schedules: Sequence[Schedule]) -> None:
        """A new schedule, a changed expression or a moved company get their next turn from now."""
        zone = self.runtime.policies.in_force().company.time_zone.key
        known = {row.name: row for row in session.scalars(select(ScheduleRow))}
        for schedule in schedules:
            row = known.get(schedule.name)
            if row is not None and (row.cron, row.zone) == (schedule.cron, zone):
                continue
            turn = next_turn(schedule.cron, zone, self.runtime.clock.now())
            fresh = {"cron": schedule.cron, "zone": zone, "next_at": turn, "try_at": turn, "attempts": 0}
            statement = insert(ScheduleRow).values(name=schedule.name, **fresh)
            session.execute(statement.on_conflict_do_update(index_elements=["name"], set_=fresh))

    def _turn(self, schedule: Schedule) -> bool:
        while not self.stop.is_set():
            more = self._step(schedule)
            if more is None:
                return False
            if not more:
                RUNS.labels(schedule.name).inc()
                return True
        return False

    def _step(self, schedule: Schedule) -> bool | None:
        """One step in one transaction: True if more is to be done now, None if it isn't ours or failed."""
        with self.runtime.context() as context:
            session, now = context.session, context.clock.now()
            connection, name = session.connection(), schedule.name
            row = connection.execute(_MINE, {"name": name, "now": now}).first()
            if row is None:
                return None
            started_at = row.started_at
            if started_at is None or started_at < row.next_at:
                started_at = now
            try:
                with session.begin_nested():
                    more = schedule.run(context)
            except Exception as failure:
                if isinstance(failure, DBAPIError) and failure.connection_invalidated:
                    raise
                FAILURES.labels(schedule.name).inc()
                attempts = row.attempts + 1
                log.exception("schedule failed", schedule=name, attempts=attempts)
                error = f"{type(failure).__name__}: {failure}"[:2000]
                later = now + pause_after(attempts)
                connection.execute(_FAILED, {"name": name, "attempts": attempts, "error": error, "later": later})
                return None
            if more:
                connection.execute(_GOES_ON, {"name": name, "started_at": started_at})
            else:
                turn = next_turn(schedule.cron, row.zone, now)
                ended = {"name": name, "turn": turn, "started_at": started_at, "finished_at": context.clock.now()}
                connection.execute(_ENDED, ended)
            return more
