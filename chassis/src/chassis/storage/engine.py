"""Connections to the service's own database."""

from __future__ import annotations

import select
from typing import Any

import orjson
from sqlalchemy import Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import InvalidatePoolError

from chassis.settings import Settings
from chassis.storage import encrypted


def _dumps(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


def make_engine(settings: Settings, *, reading: bool = False) -> Engine:
    """A pooled engine over psycopg 3; every session speaks UTC and gives up on a lock after 30 s rather than hang.

    ``reading``: connections in autocommit on which PostgreSQL refuses to write, for reads of one statement.
    """
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    options = "-c timezone=UTC -c lock_timeout=30s -c idle_in_transaction_session_timeout=120s"
    connect_args: dict[str, Any] = {
        "application_name": f"kezhi-{settings.service}",
        "options": options + (" -c default_transaction_read_only=on" if reading else ""),
        "connect_timeout": 10,
    }
    if reading:
        connect_args["autocommit"] = True
    engine = create_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args=connect_args,
        pool_reset_on_return=None if reading else "rollback",
    )
    event.listen(engine, "checkout", _refuse_severed)
    encrypted.attach(engine, settings.field_keys)
    return engine


def _refuse_severed(connection: Any, record: Any, proxy: Any) -> None:
    """A pooled connection that was cut while idle is replaced, with all its like, before a request meets it.

    An idle connection has nothing to read: if its socket has, that is the server's farewell or the end of the
    stream. One system call tells, where a ping would cost a round trip at every request.
    """
    poll = select.poll()
    poll.register(connection.fileno(), select.POLLIN)
    if poll.poll(0):
        raise InvalidatePoolError("the server closed this connection while it was idle")
