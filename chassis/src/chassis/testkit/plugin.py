"""The pytest plugin of the house: real backends, a fresh migrated database per test, a clock that stands still.

Registered as entry point ``pytest11: kezhi``. Every name it makes in a shared backend is random, so that sessions
and xdist workers never meet.
"""

from __future__ import annotations

import os
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import AMQPError
from cryptography.fernet import Fernet
from hypothesis import settings
from sqlalchemy import text

from chassis import logs
from chassis.clock import FakeClock
from chassis.messaging import topology
from chassis.messaging.event import Event
from chassis.messaging.names import BrokerNames
from chassis.runtime import Runtime, start_runtime
from chassis.service import Service
from chassis.settings import Settings
from chassis.testkit import backends, engine, tokens
from chassis.testkit.databases import Databases, declared
from chassis.web.app import create_app

pytest_plugins = ["chassis.testkit.rules"]

_declared_brokers: dict[str, list[tuple[str, Service]]] = {}  # by instance: what its runtimes may have declared

Declaration = Service | Callable[[], Service]


def pytest_configure(config: pytest.Config) -> None:
    """Where tests run is decided before workers start. What the code under test logs is captured like any output."""
    config.pluginmanager.register(backends.LeftOut(), "kezhi-left-out")
    if config.getoption("numprocesses", None):
        engine.choose()
    logs.configure("tests", "INFO")  # one JSON line each, shown where a test fails
    settings.register_profile("kezhi", deadline=None)  # machines are shared: a test asserts behaviour, not times
    settings.load_profile("kezhi")


def pytest_unconfigure(config: pytest.Config) -> None:
    """What the run started ends with it; a worker started nothing."""
    if not hasattr(config, "workerinput"):
        engine.end()


def pytest_report_header(config: pytest.Config) -> str | None:
    """Say on what this run stands, where that is known before a test asks."""
    return engine.describe() if config.getoption("numprocesses", None) else None


@pytest.fixture(scope="session")
def pg_url() -> str:
    """A PostgreSQL server where this session may create databases."""
    return backends.postgres_url()


@pytest.fixture(scope="session")
def amqp_url() -> str:
    """A broker where this session may declare exchanges and queues: RabbitMQ or the embedded one."""
    return backends.broker_url()


@pytest.fixture(scope="session")
def rabbitmq_url(amqp_url: str) -> str:
    """RabbitMQ itself; asked for by tests of what the embedded broker does not have or does not speak."""
    return backends.rabbitmq_url()


@pytest.fixture(scope="session")
def databases(pg_url: str) -> Iterator[Databases]:
    """The session's templates; gone when it ends."""
    made = Databases(pg_url)
    yield made
    made.close()


@pytest.fixture
def fresh_database(databases: Databases) -> Iterator[Callable[[Declaration], str]]:
    """``fresh_database(build_service)`` → URL of a migrated database that lives as long as the test."""
    urls: list[str] = []

    def make(service: Declaration) -> str:
        urls.append(databases.fresh(declared(service)))
        return urls[-1]

    yield make
    for url in urls:
        databases.give_back(url)


@pytest.fixture
def clock() -> FakeClock:
    """Friday 20 November 2026, 10:00 in Shanghai, until the test moves it."""
    return FakeClock()


@pytest.fixture
def instance() -> Iterator[str]:
    """A random installation name: nothing of this test shares an exchange or queue with anything else.

    What the test's runtimes declared under it is removed afterwards.
    """
    name = f"t{uuid.uuid4().hex[:10]}"
    yield name
    for url, service in _declared_brokers.pop(name, []):
        with suppress(OSError, AMQPError):  # a broker that the test itself ended keeps nothing
            topology.forget(url, BrokerNames(name), service)


@pytest.fixture
def make_runtime(
    request: pytest.FixtureRequest, databases: Databases, clock: FakeClock, instance: str
) -> Iterator[Callable[..., Runtime]]:
    """``make_runtime(service, **settings)`` → a process of the service on a fresh database under the default pack.

    ``pack=DIR`` puts another pack in force, ``pack=None`` none; ``database_url=`` joins a database that exists.
    """
    made: list[Runtime] = []
    urls: list[str] = []
    default_pack = request.config.rootpath / "policies" / "consumer-goods"

    def make(service: Declaration, *, pack: Path | None = default_pack, **settings: Any) -> Runtime:
        service = declared(service)
        if "database_url" not in settings:
            urls.append(databases.fresh(service, pack))
            settings["database_url"] = urls[-1]
        given: dict[str, Any] = {
            "amqp_url": os.environ["KEZHI_TEST_AMQP"],
            "instance": instance,
            "mode": "evaluation",
            "jwks_url": tokens.static_jwks(),
            "field_keys": (Fernet.generate_key().decode(),),
            **settings,
        }
        runtime = start_runtime(service, Settings(service=service.name, **given), clock)
        if "amqp_url" in request.fixturenames:
            _declared_brokers.setdefault(runtime.settings.instance, []).append((runtime.settings.amqp_url, service))
        made.append(runtime)
        return runtime

    yield make
    for runtime in made:
        runtime.engine.dispose()
    for url in urls:
        databases.give_back(url)


@pytest.fixture
def client() -> Callable[..., Any]:
    """``client(runtime, roles=[…])`` → a Flask test client that is signed in; ``roles=None`` for a stranger."""
    apps: dict[int, Any] = {}

    def make(
        runtime: Runtime,
        roles: Sequence[str] | None = ("administrator",),
        unit_path: str = "/",
        username: str = "admin",
    ) -> Any:

        if id(runtime) not in apps:
            apps[id(runtime)] = create_app(runtime)
        test_client = apps[id(runtime)].test_client()
        if roles is not None:
            bearer = tokens.bearer(roles=list(roles), unit_path=unit_path, username=username)
            test_client.environ_base["HTTP_AUTHORIZATION"] = bearer
        return test_client

    return make


@pytest.fixture
def recorded() -> Callable[..., list[Event]]:
    """``recorded(runtime)`` → the events in its outbox, oldest first; ``type=`` keeps those of one type."""

    def read(runtime: Runtime, type: str | None = None) -> list[Event]:
        with runtime.sessions() as session:
            bodies = session.execute(text("SELECT body FROM chassis.outbox ORDER BY id")).scalars().all()
        events = [Event.from_json(bytes(body)) for body in bodies]
        return [event for event in events if type is None or event.type == type]

    return read
