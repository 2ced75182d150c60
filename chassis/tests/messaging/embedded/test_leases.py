"""A lease ends with the process that holds it; whoever lost it hears of it and settles nothing that is another's."""

from __future__ import annotations

import gc
from typing import Any

import pytest

from chassis.messaging import broker
from chassis.messaging.broker import BROKER_TROUBLE
from chassis.messaging.embedded.trouble import LeaseLost
from chassis.testkit.broker import eventually, taken_from, waiting_in

LOST = "UPDATE broker.delivery SET holder = NULL WHERE message = (SELECT min(message) FROM broker.delivery)"


def test_acknowledging_what_somebody_else_was_given_meanwhile_settles_nothing(inside: Any) -> None:
    queue = inside.queue()
    inside.publish(queue, *"abcde")
    connection, channel, taken = inside.taking(queue, 5)
    inside.ask(LOST)  # as a sweep does, that took this process for dead
    _, other, stolen = inside.taking(queue, 1)

    with pytest.raises(LeaseLost, match="1 of 5 messages are no longer held"):
        channel.basic_ack(taken[-1].tag, multiple=True)

    assert inside.count("delivery") == 5
    other.basic_ack(stolen[0].tag)
    connection.collect()
    eventually(lambda: waiting_in(inside.url, queue) == 4)


@pytest.mark.parametrize("answer", ["basic_reject", "basic_nack"])
def test_refusing_what_is_not_ours_any_more_is_loud_as_well(inside: Any, answer: str) -> None:
    queue = inside.queue()
    inside.publish(queue, "a")
    _, channel, taken = inside.taking(queue, 1)
    inside.ask(LOST)

    with pytest.raises(LeaseLost):
        getattr(channel, answer)(taken[0].tag, requeue=False)

    assert inside.count("delivery") == 1


def test_the_databases_clock_leaps_ahead_and_everybody_starts_over_losing_nothing(inside: Any) -> None:
    """To the sweep everybody then looks frozen for a day."""
    queue = inside.queue()
    inside.publish(queue, *"abc")
    victim, channel, taken = inside.taking(queue, 3)
    inside.ask("UPDATE broker.session SET last_seen = last_seen - interval '1 day'; SELECT broker.sweep(true)")

    def drain_on() -> None:
        while True:
            broker.drain(victim, 0.2, lambda: False)

    with pytest.raises(BROKER_TROUBLE):
        drain_on()
    with pytest.raises(BROKER_TROUBLE):
        channel.basic_ack(taken[-1].tag, multiple=True)

    _, again, more = inside.taking(queue, 3)
    assert [one.body for one in more] == [b"a", b"b", b"c"]
    again.basic_ack(more[-1].tag, multiple=True)
    assert inside.count("delivery") == 0


def test_a_consumer_that_was_given_up_takes_nothing_more(inside: Any) -> None:
    queue = inside.queue()
    _, channel, _ = inside.taking(queue, 0)
    holder = next(iter(channel._consumers.values())).holder
    inside.ask("SELECT broker.leave(ARRAY[%s]::integer[])", holder)
    inside.publish(queue, "a")

    with channel._hub.lent() as store, pytest.raises(LeaseLost):
        store.take(holder, 10)

    assert inside.ask("SELECT count(*) FROM broker.delivery WHERE holder IS NOT NULL") == [(0,)]


def test_a_killed_session_connection_ends_the_leases_and_a_new_one_goes_on(inside: Any) -> None:
    queue = inside.queue()
    inside.publish(queue, *"abc")
    victim, _, _ = inside.taking(queue, 3)
    inside.ask(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name = 'kezhi-broker-session'"
    )

    eventually(lambda: not victim.connected)

    _, _, more = inside.taking(queue, 3)
    assert [one.body for one in more] == [b"a", b"b", b"c"]
    assert eventually(lambda: inside.count("session") == 1)


def test_a_connection_that_is_forgotten_gives_back_what_it_held(inside: Any) -> None:
    queue = inside.queue()
    inside.publish(queue, *"abc")
    inside.taking(inside.queue("other"), 0)  # keeps the process's session open
    inside.taking(queue, 3)
    inside.open.pop()

    gc.collect()

    eventually(lambda: waiting_in(inside.url, queue) == 3)


def test_a_process_needs_three_connections_however_many_queues_it_consumes(inside: Any) -> None:
    queues = [inside.queue(f"queue{number}") for number in range(12)]
    consumers = [inside.taking(queue, 0) for queue in queues]
    for queue in queues:
        inside.publish(queue, "a")
    for connection, _, _ in consumers:
        broker.drain(connection, 0.2, lambda: False)

    rows = inside.ask(
        "SELECT count(*) FROM pg_stat_activity"
        " WHERE datname = current_database() AND application_name ~ '^kezhi-broker'"
    )
    assert rows[0][0] <= 3


def test_delivered_once_too_often_by_deaths_goes_to_the_dead_letters_with_its_history(inside: Any) -> None:
    dead = inside.queue("dead")
    queue = inside.queue(
        x_dead_letter_exchange="", x_dead_letter_routing_key=dead, x_dead_letter_strategy="at-least-once",
        x_delivery_limit=1,
    )  # fmt: skip
    inside.publish(queue, "poison")
    for _ in range(2):
        connection, _, taken = inside.taking(queue, 1)
        assert taken
        connection.collect()
        eventually(lambda: inside.ask("SELECT 1 FROM broker.delivery WHERE holder IS NULL"))

    (letter,) = taken_from(inside.url, dead)
    (death,) = letter.properties["application_headers"]["x-death"]
    assert (death["reason"], death["queue"], death["count"]) == ("delivery_limit", queue, 1)
    assert inside.count("message") == 0


def test_dying_again_in_the_same_way_counts_in_the_same_entry(inside: Any) -> None:
    deaths = inside.ask(
        "SELECT broker.deaths_with(broker.deaths_with(broker.deaths_with(NULL, 'a', 'expired', '', 'a'),"
        " 'b', 'rejected', '', 'b'), 'a', 'expired', '', 'a')"
    )[0][0]

    assert [(death["queue"], death["reason"], death["count"]) for death in deaths] == [
        ("a", "expired", 2),
        ("b", "rejected", 1),
    ]
