"""What was committed to the outbox reaches the broker, in order, whatever dies in between."""

from __future__ import annotations

import os
import random
import socket
import threading
from collections.abc import Callable, Iterator
from typing import Any

import kombu
import orjson
import psycopg
import pytest
from sqlalchemy import text

from chassis.messaging import outbox, pending, topology
from chassis.messaging.broker import user_of
from chassis.messaging.event import Event
from chassis.messaging.relay import Relay
from chassis.runtime import Runtime
from chassis.testkit.broker import eventually, taken_from, waiting_in

pytestmark = pytest.mark.broker


@pytest.fixture(autouse=True)
def declared(runtime: Runtime, amqp_url: str) -> Iterator[None]:
    topology.declare(amqp_url, runtime.names, runtime.service)
    yield
    topology.forget(amqp_url, runtime.names, runtime.service)


def announce(runtime: Runtime, *keys: str, subject: str = "card:8801") -> None:
    with runtime.context() as context:
        for key in keys:
            outbox.announce(context.session, "purchase.seen.v1", subject=subject, data={"key": key}, key=key)


def arrived(runtime: Runtime) -> list[str]:
    """The keys of the events in the clerk's queue, in order, removed from it."""
    messages = taken_from(runtime.settings.amqp_url, runtime.names.queue("shop", "clerk"))
    return [orjson.loads(message.body)["data"]["key"] for message in messages]


def statuses(runtime: Runtime) -> dict[str, int]:
    with runtime.sessions() as session:
        rows = session.execute(text("SELECT status, count(*) FROM chassis.outbox GROUP BY status"))
        return {row.status: row.count for row in rows}


@pytest.fixture
def relaying(runtime: Runtime) -> Iterator[Callable[[], Relay]]:
    """Start relays that run until the test ends."""
    stop = threading.Event()
    threads: list[threading.Thread] = []

    def start() -> Relay:
        relay = Relay(runtime)
        threads.append(threading.Thread(target=relay.run, args=(stop,)))
        threads[-1].start()
        return relay

    yield start
    stop.set()
    for thread in threads:
        thread.join(15)
        assert not thread.is_alive()


def test_announced_events_arrive_in_order_with_their_properties(runtime: Runtime) -> None:
    announce(runtime, *(f"k{n}" for n in range(50)))

    Relay(runtime).drain()

    messages = taken_from(runtime.settings.amqp_url, runtime.names.queue("shop", "clerk"))
    assert [orjson.loads(message.body)["data"]["key"] for message in messages] == [f"k{n}" for n in range(50)]
    properties = messages[0].properties
    assert properties["content_type"] == "application/cloudevents+json"
    assert (properties["delivery_mode"], properties["user_id"]) == (2, user_of(runtime.settings.amqp_url))
    assert properties["message_id"] == orjson.loads(messages[0].body)["id"]
    assert properties["application_headers"]["partitionkey"] == "card:8801"
    assert statuses(runtime) == {"published": 50}


def test_thousands_of_rows_are_published_once_each(runtime: Runtime, shop: Any) -> None:
    events = [shop.purchase(f"e{n}", subject=f"card:{n % 97}") for n in range(5000)]
    with runtime.context() as context:
        outbox.record(context.session, events)

    Relay(runtime).drain(60)

    bodies = [message.body for message in taken_from(runtime.settings.amqp_url, runtime.names.queue("shop", "clerk"))]
    assert bodies == [event.to_json() for event in events]


def test_a_hint_makes_the_relay_publish_at_once(runtime: Runtime, relaying: Callable[[], Relay]) -> None:
    relaying()
    announce(runtime, "first")
    eventually(lambda: statuses(runtime) == {"published": 1})

    announce(runtime, "second")

    eventually(lambda: statuses(runtime) == {"published": 2}, seconds=2)


def test_writes_go_on_without_a_broker_and_drain_when_it_is_back(
    runtime: Runtime, relaying: Callable[[], Relay]
) -> None:
    """The broker's side of the connection is cut in the middle of the stream, several times."""
    relaying()
    keys = [f"k{n}" for n in range(3000)]
    for start in range(0, 3000, 300):
        announce(runtime, *keys[start : start + 300])
        _cut_broker_connections(runtime)

    eventually(lambda: statuses(runtime) == {"published": 3000}, seconds=60)

    seen = list(dict.fromkeys(arrived(runtime)))  # what was open at a cut is published again; the inbox absorbs it
    assert seen == keys


def _cut_broker_connections(runtime: Runtime) -> None:
    """Shut the sockets of this process's relay, as a broken network would."""
    import gc

    import pika

    from chassis.messaging.embedded.hub import Hub

    for hub in list(Hub._all.values()):
        for store in list(hub._idle):
            socket.socket(fileno=os.dup(store.connection.fileno())).shutdown(socket.SHUT_RDWR)
    for thing in gc.get_objects():
        if isinstance(thing, pika.SelectConnection) and thing.is_open and thing._transport is not None:
            thing._transport._sock.shutdown(2)


def test_a_relay_that_loses_its_database_connection_publishes_on_after_reconnecting(
    runtime: Runtime, relaying: Callable[[], Relay]
) -> None:
    relaying()
    announce(runtime, "before")
    eventually(lambda: statuses(runtime) == {"published": 1})

    with runtime.sessions() as session:
        session.execute(
            text(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity "
                "WHERE application_name = 'kezhi-relay' AND datname = current_database()"
            )
        )
    announce(runtime, "after")

    eventually(lambda: statuses(runtime) == {"published": 2})
    assert arrived(runtime) == ["before", "after"]


def test_what_was_published_and_not_marked_is_published_again_in_order(
    runtime: Runtime, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The crash between the broker's confirm and the mark: inboxes absorb the second copy."""
    announce(runtime, *(f"k{n}" for n in range(20)))
    marking = pending.Pending.mark
    failures = iter([psycopg.OperationalError("cut off")] * 2)  # the mark, and the attempt to save it

    def mark(self: Any, *given: Any) -> None:
        if (failure := next(failures, None)) is not None:
            raise failure
        marking(self, *given)

    monkeypatch.setattr(pending.Pending, "mark", mark)

    Relay(runtime).drain()

    assert statuses(runtime) == {"published": 20}
    seen = arrived(runtime)
    assert len(seen) in (40, 60)
    assert seen == [f"k{n}" for n in range(20)] * (len(seen) // 20)


def test_several_relays_share_the_partitions_and_never_reorder_an_aggregate(
    runtime: Runtime, relaying: Callable[[], Relay]
) -> None:
    sequences: dict[str, int] = {f"card:{n}": 0 for n in range(40)}
    dice = random.Random(7)
    for turn in range(12):
        if turn in {0, 3, 6}:
            relaying()
        with runtime.context() as context:
            for _ in range(150):
                subject = dice.choice(list(sequences))
                sequences[subject] += 1
                key = f"{subject}#{sequences[subject]}"
                outbox.announce(context.session, "purchase.seen.v1", subject=subject, data={"key": key}, key=key)
        eventually(lambda: statuses(runtime).get("pending", 0) < 400)

    eventually(lambda: set(statuses(runtime)) == {"published"}, seconds=30)

    by_subject: dict[str, list[int]] = {}
    for key in arrived(runtime):
        subject, number = key.split("#")
        by_subject.setdefault(subject, []).append(int(number))
    assert by_subject == {subject: list(range(1, last + 1)) for subject, last in sequences.items() if last}


def test_partitions_are_shared_out_among_the_relays_alive(runtime: Runtime) -> None:
    one = pending.Pending(runtime.settings.database_url)
    one.share(busy=set())
    assert one.owned == set(range(16))

    two = pending.Pending(runtime.settings.database_url)
    one.share(busy=set())
    one.share(busy={15})  # partition 15 has publishes under way: it stays until they are settled
    two.share(busy=set())
    assert (one.owned, one.leaving) == ({*range(8), 15}, {15})
    assert two.owned == set(range(8, 15))

    one.share(busy=set())
    two.share(busy=set())
    assert (one.owned, two.owned) == (set(range(8)), set(range(8, 16)))
    one.close()
    eventually(lambda: two.share(busy=set()) or two.owned == set(range(16)))
    two.close()


def test_what_no_queue_is_bound_for_ends_in_the_watched_queue(runtime: Runtime) -> None:
    with runtime.context() as context:
        outbox.announce(context.session, "nobody.listens.v1", subject="s", data={}, key="k")

    Relay(runtime).drain()

    assert waiting_in(runtime.settings.amqp_url, topology.unrouted_queue(runtime.names)) == 1


def test_a_row_the_broker_returns_is_put_off_then_given_up_and_can_be_revived(
    runtime: Runtime, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pending, "GIVE_UP_AFTER", 2)
    with kombu.Connection(runtime.settings.amqp_url) as connection:
        connection.channel().queue_delete(topology.unrouted_queue(runtime.names))
    with runtime.context() as context:
        outbox.announce(context.session, "nobody.listens.v1", subject="s", data={}, key="k")

    with pytest.raises(TimeoutError):
        Relay(runtime).drain(1)
    assert statuses(runtime) == {"pending": 1}
    clock.advance(minutes=1)
    Relay(runtime).drain()

    with runtime.context() as context:
        row = context.session.execute(text("SELECT status, attempts, error FROM chassis.outbox")).one()
        assert (row.status, row.attempts) == ("failed", 2)
        assert "NO_ROUTE" in row.error
        assert outbox.revive(context.session) == 1
    topology.declare(runtime.settings.amqp_url, runtime.names, runtime.service)
    Relay(runtime).drain()
    assert statuses(runtime) == {"published": 1}


def test_a_purchase_taken_over_http_goes_to_the_purchases_exchange_unchanged(runtime: Runtime, shop: Any) -> None:
    event: Event = shop.purchase("e1")
    with runtime.context() as context:
        outbox.forward(context.session, [event.to_json()])

    Relay(runtime).drain()

    (message,) = taken_from(runtime.settings.amqp_url, runtime.names.queue("shop", "till"))
    assert message.body == event.to_json()


def test_a_row_that_fits_into_no_frame_does_not_hold_up_the_others(runtime: Runtime, shop: Any) -> None:
    with runtime.context() as context:
        outbox.record(context.session, [shop.purchase("x" * 300), shop.purchase("fine")])

    with pytest.raises(TimeoutError):
        Relay(runtime).drain(2)

    assert statuses(runtime) == {"pending": 1, "published": 1}
    with runtime.sessions() as session:
        error = session.execute(text("SELECT error FROM chassis.outbox WHERE status = 'pending'")).scalar_one()
    assert error == "it can't be published: the event's id is longer than 255 bytes"
