"""Connections to the service's own database."""

from __future__ import annotations

import orjson
from sqlalchemy import Engine, create_engine
from sqlalchemy.engine import make_url

from chassis.settings import Settings
from chassis.storage import encrypted


def _dumps(value: object) -> str:
    return orjson.dumps(value, default=str).decode()


def make_engine(settings: Settings) -> Engine:
    """A pooled engine over psycopg 3; every session speaks UTC and gives up on a lock after 30 s rather than hang."""
    url = make_url(settings.database_url).set(drivername="postgresql+psycopg")
    engine = create_engine(
        url,
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_pre_ping=True,
        json_serializer=_dumps,
        json_deserializer=orjson.loads,
        connect_args={
            "application_name": f"kezhi-{settings.service}",
            "options": "-c timezone=UTC -c lock_timeout=30s -c idle_in_transaction_session_timeout=120s",
            "connect_timeout": 10,
        },
    )
    encrypted.attach(engine, settings.field_keys)
    return engine
