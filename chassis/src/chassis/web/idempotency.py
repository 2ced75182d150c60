"""``Idempotency-Key``: the same POST twice is done once and answered twice (decision 18).

The record is written in the transaction of the effect, so a crash leaves either both or neither; a key in flight is
held by a transaction-level advisory lock that vanishes with its owner.
"""

from __future__ import annotations

import hashlib
import re
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import orjson
from flask import Request, Response
from sqlalchemy import Index, LargeBinary, SmallInteger, delete, select, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column

from chassis.errors import Conflict, Invalid
from chassis.runtime import Context
from chassis.storage.schema import ChassisBase
from chassis.web.access import Access
from chassis.web.principal import Principal
from chassis.web.problems import Unreadable
from chassis.web.work import Work

IDEMPOTENCY = "Idempotency-Key"
KEPT = timedelta(hours=24)
_KEY = re.compile(r"^[\x21-\x7e]{1,255}$")
_REPLAYED_HEADERS = ("Content-Type", "Location", "ETag")


class IdempotencyRow(ChassisBase):
    """One finished POST and its answer; ``body`` is null where the answer held a secret."""

    __tablename__ = "idempotency"
    __table_args__ = (
        Index("ix_idempotency_expires_at", "expires_at", postgresql_where=text("expires_at IS NOT NULL")),
    )

    principal: Mapped[str] = mapped_column(primary_key=True)
    path: Mapped[str] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(primary_key=True)
    request_hash: Mapped[bytes] = mapped_column(LargeBinary)
    status: Mapped[int] = mapped_column(SmallInteger)
    headers: Mapped[dict[str, Any]] = mapped_column(JSONB)
    body: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime | None]


@dataclass(slots=True)
class Attempt:
    """One POST under a key: either a replay, or new and to be remembered."""

    key: str
    principal: str
    path: str
    request_hash: bytes
    access: Access
    replay: Response | None = None

    @classmethod
    def begin(cls, request: Request, access: Access, principal: Principal, work: Work) -> Attempt | None:
        """None without a key. Raises 400 for a missing or malformed one, 409 in flight, 422 for another content."""
        key = request.headers.get(IDEMPOTENCY)
        if key is None:
            if access.idempotency == "required":
                raise Unreadable(f"this POST needs an {IDEMPOTENCY} header")
            return None
        if not _KEY.match(key):
            raise Invalid("The key is not valid", {IDEMPOTENCY: ["1 to 255 visible ASCII characters"]})
        attempt = cls(key, f"{principal.kind}:{principal.id}", request.path, _hash(request), access)
        attempt._look_up(work)
        return attempt

    def _look_up(self, work: Work) -> None:
        scope = hashlib.sha256("\n".join((self.principal, self.path, self.key)).encode()).digest()
        named = {"principal": self.principal, "path": self.path, "key": self.key}
        asked = {**named, "lock": int.from_bytes(scope[:8], signed=True), "now": work.clock.now()}
        found = work.session.connection().exec_driver_sql(_LOOK_UP, asked).one()
        if not found.free:
            raise Conflict("a request with this Idempotency-Key is being worked on: wait for its answer")
        if found.status is None:
            return
        if bytes(found.request_hash) != self.request_hash:
            raise Invalid(
                "This Idempotency-Key was used for another content", {IDEMPOTENCY: ["used before with another body"]}
            )
        if found.body is None:
            raise Conflict("this was done before; its answer held a secret and isn't kept", status_then=found.status)
        self.replay = Response(found.body, found.status, headers={**found.headers, "Idempotency-Replayed": "true"})

    def remember(self, work: Work, response: Response) -> None:
        """Keep the answer beside the effect. Raises Conflict for a twin that was done meanwhile."""
        now = work.clock.now()
        headers = {name: response.headers[name] for name in _REPLAYED_HEADERS if name in response.headers}
        kept = work.session.connection().exec_driver_sql(
            _REMEMBER,
            {
                "principal": self.principal,
                "path": self.path,
                "key": self.key,
                "request_hash": self.request_hash,
                "status": response.status_code,
                "headers": orjson.dumps(headers).decode(),
                "body": None if self.access.secret else response.get_data(),
                "created_at": now,
                "expires_at": None if self.access.keeps_key else now + KEPT,
            },
        )
        if kept.rowcount != 1:
            raise Conflict("a request with this Idempotency-Key was done meanwhile: ask again for its answer")


# The look-up sees what was committed before it began, which may be a moment before the lock came free: a twin that was
# done in that moment is met by the primary key (``_REMEMBER``), and this request leaves nothing.
_LOOK_UP = """
    SELECT asked.free, kept.request_hash, kept.status, kept.headers, kept.body
    FROM (SELECT pg_try_advisory_xact_lock(%(lock)s) AS free) AS asked
    LEFT JOIN chassis.idempotency AS kept
        ON kept.principal = %(principal)s AND kept.path = %(path)s AND kept.key = %(key)s
        AND (kept.expires_at IS NULL OR kept.expires_at > %(now)s)
"""
_COLUMNS = ("principal", "path", "key", "request_hash", "status", "headers", "body", "created_at", "expires_at")
_REMEMBER = f"""
    INSERT INTO chassis.idempotency AS known ({", ".join(_COLUMNS)})
    VALUES ({", ".join(f"%({name})s" for name in _COLUMNS)})
    ON CONFLICT (principal, path, key) DO UPDATE
    SET {", ".join(f"{name} = excluded.{name}" for name in _COLUMNS[3:])}
    WHERE known.expires_at <= excluded.created_at
"""  # noqa: S608 - the names are constants of this module


def _hash(request: Request) -> bytes:
    """Of the content, not of its spelling: JSON is compared with sorted members, forms without their boundary."""
    digest = hashlib.sha256(request.query_string + b"\n" + request.mimetype.encode() + b"\n")
    if request.mimetype == "multipart/form-data":
        for name, values in sorted(request.form.lists()):
            digest.update(orjson.dumps([name, values]))
        for name, file in sorted(request.files.items(multi=True)):
            digest.update(orjson.dumps([name, file.filename]))
            while chunk := file.stream.read(1 << 16):
                digest.update(chunk)
            file.stream.seek(0)
        return digest.digest()
    body = request.get_data()
    with suppress(orjson.JSONDecodeError):  # what isn't JSON is compared as it came
        body = orjson.dumps(orjson.loads(body), option=orjson.OPT_SORT_KEYS)
    digest.update(body)
    return digest.digest()


def forget_expired(context: Context) -> bool:
    """Schedule step: remove up to 5,000 keys past their day."""
    expired = (
        select(IdempotencyRow.principal, IdempotencyRow.path, IdempotencyRow.key)
        .where(IdempotencyRow.expires_at <= context.clock.now())
        .limit(5000)
        .subquery()
    )
    removed = context.session.execute(
        delete(IdempotencyRow).where(
            IdempotencyRow.principal == expired.c.principal,
            IdempotencyRow.path == expired.c.path,
            IdempotencyRow.key == expired.c.key,
        )
    )
    return bool(removed.rowcount == 5000)  # type: ignore[attr-defined]
