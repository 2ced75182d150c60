"""A job does its work in bounded steps, one transaction each, and carries on where it was after any crash.

A service declares ``due={"job:import": runs(import_step)}`` and begins one with ``start(…, "import", …)``. The step
gets the job's row: it moves ``done`` and ``total``, keeps its place in ``params``, and returns True while more is to
do. Its effect and its progress are committed together, so no step counts twice.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

import structlog
from sqlalchemy import BigInteger, ForeignKey, Index, delete, func, select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.clock import Clock
from chassis.errors import Refusal
from chassis.ids import uuid7
from chassis.runtime import Context
from chassis.storage.schema import ChassisBase
from chassis.timing.due import DueRow, schedule

if TYPE_CHECKING:
    from chassis.web.principal import Principal

log = structlog.get_logger()

ATTEMPTS = 5  # of one step, before the job is given up
FINISHED_KEPT = timedelta(days=90)  # done and failed ones, with their errors and results


class JobRow(ChassisBase):
    """One piece of long work: queued, running, done or failed. ``total`` is None until it is known."""

    __tablename__ = "job"
    __table_args__ = (Index("ix_job_created_at", "created_at"),)

    id: Mapped[uuid.UUID] = mapped_column(primary_key=True)
    kind: Mapped[str]
    status: Mapped[str] = mapped_column(default="queued")
    params: Mapped[dict[str, Any]]
    done: Mapped[int] = mapped_column(BigInteger, default=0)
    total: Mapped[int | None] = mapped_column(BigInteger)
    result: Mapped[dict[str, Any] | None]
    error: Mapped[str | None]
    started_by: Mapped[str | None]
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class JobErrorRow(ChassisBase):
    """One thing a job could not do, by its position in the input (a line, a row, an index)."""

    __tablename__ = "job_error"

    job_id: Mapped[uuid.UUID] = mapped_column(ForeignKey(JobRow.id, ondelete="CASCADE"), primary_key=True)
    position: Mapped[int] = mapped_column(BigInteger, primary_key=True)
    message: Mapped[str]


Step = Callable[[Context, JobRow], bool]


def start(
    session: Session, clock: Clock, kind: str, params: dict[str, Any], principal: Principal | None = None
) -> JobRow:
    """Queue a job; it begins once the caller's transaction has committed."""
    now = clock.now()
    started_by = principal.id if principal else None
    job = JobRow(
        id=uuid7(now),
        kind=kind,
        status="queued",
        params=params,
        done=0,
        started_by=started_by,
        created_at=now,
    )
    session.add(job)
    session.flush()
    schedule(session, f"job:{kind}", str(job.id), now)
    return job


def runs(step: Step) -> Callable[[Context, DueRow], None]:
    """The due handler of a job kind. A Refusal ends the job with its words; other failures are tried again first."""

    def run(context: Context, due: DueRow) -> None:
        job = context.session.get_one(JobRow, uuid.UUID(due.key), with_for_update=True)
        try:
            with context.session.begin_nested():
                job.status = "running"
                more = step(context, job)
        except Refusal as refusal:
            _fail(context, job, refusal.detail)
        except Exception as failure:
            lost = isinstance(failure, DBAPIError) and failure.connection_invalidated
            if lost or due.attempts + 1 < ATTEMPTS:
                raise
            log.exception("job failed", kind=job.kind, job=str(job.id))
            _fail(context, job, f"given up after {ATTEMPTS} attempts: {type(failure).__name__}")
        else:
            if more:
                schedule(context.session, due.kind, due.key, context.clock.now())
            else:
                job.status, job.finished_at = "done", context.clock.now()

    return run


def note_error(session: Session, job: JobRow, position: int, message: str) -> None:
    """Keep what could not be done, without failing the job."""
    session.merge(JobErrorRow(job_id=job.id, position=position, message=message))


def answer(session: Session, job: JobRow) -> dict[str, Any]:
    """The job resource of contract.md; the urls are null while there is nothing behind them."""
    here = f"/api/v1/services/{session.info['service']}/jobs/{job.id}"
    errors = session.scalar(select(func.count()).where(JobErrorRow.job_id == job.id))
    return {
        "id": job.id,
        "kind": job.kind,
        "status": job.status,
        "done": job.done,
        "total": job.total,
        "error": job.error,
        "errors_url": f"{here}/errors" if errors else None,
        "result_url": f"{here}/result" if job.result is not None else None,
        "created_at": job.created_at,
        "finished_at": job.finished_at,
    }


def forget_finished(context: Context) -> bool:
    """Schedule step: remove up to 100 jobs that ended long ago; each takes its errors along, which may be many."""
    over = select(JobRow.id).where(JobRow.finished_at < context.clock.now() - FINISHED_KEPT).limit(100)
    removed = context.session.execute(delete(JobRow).where(JobRow.id.in_(over)))
    return bool(removed.rowcount == 100)  # type: ignore[attr-defined]


def _fail(context: Context, job: JobRow, error: str) -> None:
    job.status, job.error, job.finished_at = "failed", error, context.clock.now()
