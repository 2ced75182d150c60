"""The audit trail: one row per change, written in the transaction of the change, sealed in batches (decision 19).

A seal covers a set of rows: the digest over them, chained to the seal before. Rows point to their seal rather than
being ranged by id, because ids are drawn before commit and a late one would fall behind a range already sealed.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

import orjson
from flask import Request
from sqlalchemy import BigInteger, ForeignKey, Identity, Index, LargeBinary, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.clock import Clock
from chassis.logs import shown_path
from chassis.runtime import Context
from chassis.storage.schema import ChassisBase
from chassis.web.principal import Principal

if TYPE_CHECKING:
    from chassis.web.work import Work

_BATCH = 2000
_SEAL_LOCK = 0x6B7A5EA1  # one sealer at a time per database


class SealRow(ChassisBase):
    """A sealed batch."""

    __tablename__ = "audit_seal"

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    rows: Mapped[int]
    digest: Mapped[bytes] = mapped_column(LargeBinary)
    chain: Mapped[bytes] = mapped_column(LargeBinary)  # sha256(previous chain + digest)
    sealed_at: Mapped[datetime]


class AuditRow(ChassisBase):
    """One thing somebody did. ``details`` holds no personal data: it is never erased."""

    __tablename__ = "audit"
    __table_args__ = (
        Index("ix_audit_unsealed", "id", postgresql_where=text("seal IS NULL")),
        Index("ix_audit_seal", "seal"),
        Index("ix_audit_principal", "principal", "id"),
        Index("ix_audit_subject", "subject", "id"),
        Index("ix_audit_at", "at"),
    )

    id: Mapped[int] = mapped_column(BigInteger, Identity(always=True), primary_key=True)
    at: Mapped[datetime]
    principal: Mapped[str]
    kind: Mapped[str]
    username: Mapped[str]
    action: Mapped[str]
    method: Mapped[str | None]
    path: Mapped[str | None]
    status: Mapped[int | None]
    subject: Mapped[str | None]
    request_id: Mapped[str | None]
    details: Mapped[dict[str, Any]] = mapped_column(JSONB)
    seal: Mapped[int | None] = mapped_column(BigInteger, ForeignKey(SealRow.id))


_COLUMNS = (
    "at", "principal", "kind", "username", "action", "method", "path", "status", "subject", "request_id", "details",
)  # fmt: skip
# No unit of work for a row that nobody reads back.
_INSERT = f"""
    INSERT INTO chassis.audit ({", ".join(_COLUMNS)}) VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
"""  # noqa: S608 - the names are constants of this module


def record(
    session: Session, clock: Clock, principal: Principal, action: str, subject: str | None = None, **details: Any
) -> None:
    """A row for what happens outside a request: a schedule, a command, an event handler."""
    _insert(session, [_row(clock.now(), principal, action, subject, details)])


def record_request(work: Work, action: str, request: Request, status: int) -> None:
    """The row of a changing request; its subject is the id in the path unless the view named another."""
    ids = request.view_args or {}
    subject = work.subject or next((str(value) for name, value in ids.items() if name != "token"), None)
    row = _row(work.clock.now(), work.principal, action, subject, work.details)
    row.update(method=request.method, path=shown_path(request), status=status, request_id=work.request_id)
    _insert(work.session, [row])


def record_notes(work: Work, request: Request) -> None:
    """The rows that a view asked for itself (``work().audit``)."""
    rows = []
    for action, subject, details in work.notes:
        row = _row(work.clock.now(), work.principal, action, subject, details)
        row.update(method=request.method, path=shown_path(request), status=200, request_id=work.request_id)
        rows.append(row)
    _insert(work.session, rows)


def _insert(session: Session, rows: list[dict[str, Any]]) -> None:
    connection = session.connection()
    for row in rows:
        connection.exec_driver_sql(_INSERT, {**row, "details": orjson.dumps(row["details"], default=str).decode()})


def _row(
    at: datetime, principal: Principal, action: str, subject: str | None, details: dict[str, Any]
) -> dict[str, Any]:
    return {
        "at": at,
        "principal": principal.id,
        "kind": principal.kind,
        "username": principal.username,
        "action": action,
        "method": None,
        "path": None,
        "status": None,
        "subject": subject,
        "request_id": None,
        "details": details,
    }


def seal(context: Context) -> bool:
    """Schedule step: seal up to 2,000 rows. True while more are waiting."""
    session = context.session
    if not session.scalar(text("SELECT pg_try_advisory_xact_lock(:key)"), {"key": _SEAL_LOCK}):
        return False
    rows = session.execute(_sealed_columns().where(AuditRow.seal.is_(None)).limit(_BATCH)).all()
    if not rows:
        return False
    before = session.scalar(select(SealRow.chain).order_by(SealRow.id.desc()).limit(1)) or b""
    digest = _digest(rows)
    made = SealRow(rows=len(rows), digest=digest, chain=sha256(before + digest).digest(), sealed_at=context.clock.now())
    session.add(made)
    session.flush()
    session.execute(update(AuditRow).where(AuditRow.id.in_([row.id for row in rows])).values(seal=made.id))
    return len(rows) == _BATCH


@dataclass(frozen=True)
class Inspection:
    """What a check of the chain found. ``broken`` names each seal whose rows or chain no longer agree with it."""

    seals: int
    sealed: int
    waiting: int
    broken: list[dict[str, Any]]


def inspect(session: Session) -> Inspection:
    """Recompute every seal from its rows, in constant memory."""
    before, sealed, seals, broken = b"", 0, 0, []
    for made in session.scalars(select(SealRow).order_by(SealRow.id)).yield_per(500):
        rows = session.execute(_sealed_columns().where(AuditRow.seal == made.id)).all()
        seals, sealed = seals + 1, sealed + len(rows)
        if len(rows) != made.rows or _digest(rows) != made.digest:
            broken.append(
                {"seal": made.id, "what": "rows were changed, added or taken out", "expected_rows": made.rows}
            )
        elif sha256(before + made.digest).digest() != made.chain:
            broken.append(
                {"seal": made.id, "what": "a seal before it was changed or taken out", "expected_rows": made.rows}
            )
        before = made.chain
    waiting = session.scalar(text("SELECT count(*) FROM chassis.audit WHERE seal IS NULL")) or 0
    return Inspection(seals, sealed, waiting, broken)


def _sealed_columns() -> Any:
    columns = [column for column in AuditRow.__table__.columns if column.name != "seal"]
    return select(*columns).order_by(AuditRow.id)


def _digest(rows: Any) -> bytes:
    total = sha256()
    for row in rows:
        total.update(orjson.dumps(list(row), option=orjson.OPT_SORT_KEYS, default=str))
        total.update(b"\n")
    return total.digest()
