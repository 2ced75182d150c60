"""On what a test run stands: the machine's own servers, or an embedded PostgreSQL with the embedded broker on it.

``KEZHI_TEST_ENGINE=servers`` wants real servers and fails without; ``embedded`` does without any, also where they
answer; unset, each of the two is the real one where it answers. That is decided once, before workers start; the one
PostgreSQL of the run belongs to the process that decided, and ends with it however that ends.
"""

from __future__ import annotations

import atexit
import os
import socket
import uuid
from collections.abc import Callable
from contextlib import ExitStack
from urllib.parse import urlsplit

import psycopg

DEFAULT_PG = "postgresql://postgres@127.0.0.1:5432/postgres"
DEFAULT_AMQP = "amqp://guest:guest@127.0.0.1:5672//"
DATABASE, BROKER = "PostgreSQL", "RabbitMQ"
_WANTED = "KEZHI_TEST_ENGINE"
_CHOSEN = "KEZHI_TEST_EMBEDDED"  # what this run replaced by an embedded one, told to workers and child processes
_CONNECTIONS = 400  # three workers, each with some installations of ten processes

_ours = ExitStack()


def wanted() -> str | None:
    """What whoever started the run asked for: ``embedded``, ``servers``, or None for what there is."""
    word = os.environ.get(_WANTED) or None
    if word not in (None, "embedded", "servers"):
        raise ValueError(f"{_WANTED}={word}: say embedded or servers, or leave it unset")
    return word


def servers_required() -> bool:
    """Whether a real server that is missing fails the run (CI) instead of being replaced or left out."""
    return wanted() == "servers" or (wanted() is None and os.environ.get("KEZHI_REQUIRE_BACKENDS") == "1")


def embedded() -> frozenset[str]:
    """Which of DATABASE and BROKER is an embedded one in this run."""
    choose()
    return frozenset(filter(None, os.environ[_CHOSEN].split(",")))


def choose() -> None:
    """Decide, unless that was done; start what is to be embedded. KEZHI_TEST_PG and KEZHI_TEST_AMQP say where it is."""
    if _CHOSEN in os.environ:
        return
    pg = os.environ.setdefault("KEZHI_TEST_PG", DEFAULT_PG)
    amqp = os.environ.setdefault("KEZHI_TEST_AMQP", DEFAULT_AMQP)
    chosen = {name for name, away in ((DATABASE, database_away(pg)), (BROKER, broker_away(amqp))) if _replaces(away)}
    os.environ[_CHOSEN] = ",".join(sorted(chosen))
    atexit.register(end)
    _ours.callback(os.environ.pop, _CHOSEN)
    if DATABASE in chosen:
        _put("KEZHI_TEST_PG", _start_postgres())
    if BROKER in chosen:
        _put("KEZHI_TEST_AMQP", _make_broker(os.environ["KEZHI_TEST_PG"]))


def end() -> None:
    """Stop what this process started; nothing where another one decided."""
    _ours.close()


def describe() -> str:
    """One line for the head of the run."""
    replaced = embedded()
    database = "an embedded PostgreSQL of this run" if DATABASE in replaced else _shown("KEZHI_TEST_PG")
    broker = "the embedded broker on it" if BROKER in replaced else _shown("KEZHI_TEST_AMQP")
    return f"kezhi: tests run on {database} and {broker}"


def database_away(url: str) -> str | None:
    """Why no PostgreSQL answers there; None: it does."""
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as away:
        return f"no answer at KEZHI_TEST_PG ({urlsplit(url).hostname}): {str(away).splitlines()[0]}"
    return None


def broker_away(url: str) -> str | None:
    """Why no RabbitMQ accepts connections there; None: it does."""
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672), timeout=3).close()
    except OSError as away:
        return f"no answer at KEZHI_TEST_AMQP ({parts.hostname}:{parts.port or 5672}): {away}"
    return None


def _replaces(away: str | None) -> bool:
    return wanted() == "embedded" or (away is not None and not servers_required())


def _start_postgres() -> str:
    from chassis.testkit.backends import wheel_binaries  # noqa: PLC0415 - they ask us
    from chassis.testkit.private_postgres import PrivatePostgres  # noqa: PLC0415

    # What is lost with the machine was a test's: nothing waits for the disk here.
    fast: dict[str, str | int] = {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": _CONNECTIONS,
    }
    node = PrivatePostgres(binaries=wheel_binaries(), settings={**fast, "shared_buffers": "256MB", "jit": "off"})
    return _ours.enter_context(node).url


def _make_broker(pg_url: str) -> str:
    from chassis.messaging.embedded import prepare_database  # noqa: PLC0415 - a run on RabbitMQ does without

    name = f"kezhi_test_broker_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(pg_url, autocommit=True) as server:
        server.execute(f'CREATE DATABASE "{name}"')
    _ours.callback(_drop(pg_url, name))
    url = f"kezhi+{urlsplit(pg_url)._replace(scheme='postgresql', path=f'/{name}').geturl()}"
    prepare_database(url)
    return url


def _drop(pg_url: str, name: str) -> Callable[[], None]:
    def drop() -> None:
        with psycopg.connect(pg_url, autocommit=True) as server:
            server.execute(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    return drop


def _put(name: str, url: str) -> None:
    _ours.callback(os.environ.__setitem__, name, os.environ[name])
    os.environ[name] = url


def _shown(name: str) -> str:
    parts = urlsplit(os.environ[name])
    return f"{parts.scheme}://{parts.hostname}:{parts.port or ''}".rstrip(":")
