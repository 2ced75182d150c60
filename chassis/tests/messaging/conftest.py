"""A service with nothing but subscriptions, to see what becomes of its messages."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from chassis.messaging.delivery import Delivery, Rejection
from chassis.messaging.embedded import prepare_database
from chassis.messaging.event import Event
from chassis.runtime import Context, Runtime
from chassis.service import Service, Subscription
from chassis.testkit import backends
from chassis.testkit.databases import Databases
from kezhi_contracts import schemas

MIGRATIONS = Path(__file__).parent / "migrations"


class Shop:
    """What the handlers of the test service saw, and how they are told to behave."""

    def __init__(self) -> None:
        self.fail_on: dict[str, Exception] = {}  # event id → what the handler raises
        self.reject: dict[str, str] = {}  # event id → reason
        self.batches: list[int] = []

    def handle_batch(self, context: Context, deliveries: Sequence[Delivery]) -> Sequence[Rejection]:
        self.batches.append(len(deliveries))
        refused = []
        for delivery in deliveries:
            if delivery.event.id in self.fail_on:
                raise self.fail_on[delivery.event.id]
            if delivery.event.id in self.reject:
                refused.append(Rejection(delivery, self.reject[delivery.event.id]))
            else:
                self._write(context, delivery)
        return refused

    def handle(self, context: Context, delivery: Delivery) -> None:
        self._write(context, delivery)
        if delivery.event.id in self.fail_on:
            raise self.fail_on[delivery.event.id]

    def _write(self, context: Context, delivery: Delivery) -> None:
        context.session.execute(
            text("INSERT INTO effect (event_id, subject) VALUES (:id, :subject)"),
            {"id": delivery.event.id, "subject": delivery.event.subject},
        )

    def service(self) -> Service:
        accepts = frozenset({"purchase.completed.v1", "purchase.refunded.v1"})
        return Service(
            name="shop",
            title="Shop",
            version="0",
            migrations=MIGRATIONS,
            subscriptions=(
                Subscription("till", "purchases", ("purchase.#",), handle_batch=self.handle_batch, accepts=accepts),
                Subscription("clerk", "events", ("purchase.#",), handle=self.handle, accepts=accepts),
            ),
        )

    @staticmethod
    def purchase(id: str | None = None, subject: str = "card:8801", **data: Any) -> Event:
        """A valid purchase; ``data`` overrides fields of it."""
        document = schemas.example("purchase.completed.v1")
        document |= {"id": id or uuid.uuid4().hex, "subject": subject, "time": "2026-11-20T09:30:00+08:00"}
        document["data"] |= {
            "occurred_at": "2026-11-20T09:29:58+08:00",
            "purchase_id": document["id"],
            **data,
        }
        return Event.from_document(document)

    @staticmethod
    def effects(runtime: Runtime) -> list[str]:
        """The ids of the events that had an effect, in order; an id stands here as often as it was applied."""
        with runtime.sessions() as session:
            return list(session.execute(text("SELECT event_id FROM effect ORDER BY n")).scalars())


@pytest.fixture
def shop() -> Shop:
    return Shop()


@pytest.fixture(scope="session")
def embedded_url(databases: Databases) -> Iterator[str]:
    """An embedded broker of this session's own, on the tests' PostgreSQL."""
    name = f"kezhi_test_broker_{uuid.uuid4().hex[:12]}"
    databases.create(name)
    url = f"kezhi+{databases.url(name)}"
    prepare_database(url)
    yield url
    databases.drop(name)


@pytest.fixture(scope="session", params=["rabbitmq", "embedded"])
def amqp_url(request: pytest.FixtureRequest) -> str:
    """Every test that asks for a broker sees both kinds."""
    if request.param == "embedded":
        return str(request.getfixturevalue("embedded_url"))
    return backends.rabbitmq_url()


@pytest.fixture
def make_runtime(make_runtime: Callable[..., Runtime], request: pytest.FixtureRequest) -> Callable[..., Runtime]:
    """A runtime speaks to the broker that its test asked for."""
    told = {"amqp_url": request.getfixturevalue("amqp_url")} if "amqp_url" in request.fixturenames else {}

    def make(service: Any, **settings: Any) -> Runtime:
        return make_runtime(service, **{**told, **settings})

    return make


@pytest.fixture
def runtime(shop: Shop, make_runtime: Callable[..., Runtime]) -> Runtime:
    return make_runtime(shop.service())
