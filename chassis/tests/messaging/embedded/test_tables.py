"""Nothing is left in the tables that nobody can reach, and the tables can be made by anybody at any moment."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import amqp
import pytest

from chassis.messaging import broker
from chassis.messaging.broker import Outgoing, Publisher
from chassis.messaging.embedded import prepare_database
from chassis.messaging.embedded.looking import look
from chassis.messaging.embedded.trouble import BrokerAway
from chassis.testkit.broker import taken_from


def test_tables_are_made_once_whoever_makes_them_at_the_same_moment(empty_database: Callable[[], str]) -> None:
    url = empty_database()
    wrong: list[BaseException] = []

    def make() -> None:
        try:
            prepare_database(url)
        except BaseException as error:
            wrong.append(error)

    threads = [threading.Thread(target=make) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []
    assert look(url).waiting == 0


def test_functions_of_another_release_are_replaced_and_messages_stay(inside: Any) -> None:
    queue = inside.queue()
    inside.publish(queue, "kept")
    inside.ask(
        "DROP FUNCTION broker.pop(text); CREATE FUNCTION broker.pop(text) RETURNS integer LANGUAGE sql AS 'SELECT 1';"
        " UPDATE broker.made SET functions = 'of another release'"
    )

    prepare_database(inside.url)

    assert [bytes(taken.body) for taken in taken_from(inside.url, queue)] == [b"kept"]


def test_tables_of_a_newer_release_are_left_alone(inside: Any) -> None:
    inside.ask("UPDATE broker.made SET version = 99, functions = 'newer'")

    prepare_database(inside.url)

    assert inside.ask("SELECT version, functions FROM broker.made") == [(99, "newer")]


def test_a_database_without_tables_is_said_to_be_one(empty_database: Callable[[], str]) -> None:
    with pytest.raises(BrokerAway, match="holds no embedded broker"):
        broker.connect(empty_database())


def test_a_database_that_does_not_answer_is_a_broker_that_is_away() -> None:
    with pytest.raises(OSError, match="refused"):
        broker.connect("kezhi+postgresql://nobody@127.0.0.1:1/nowhere")


def test_a_body_goes_with_the_last_queue_that_has_it(inside: Any) -> None:
    channel = inside.connect().channel()
    channel.exchange_declare("all", "fanout", durable=True, auto_delete=False)
    queues = [inside.queue(name) for name in ("one", "two", "three")]
    for queue in queues:
        channel.queue_bind(queue, "all", "")
    for number in range(10):
        channel.basic_publish(amqp.basic_message.Message(str(number)), "all", "")

    assert (inside.count("message"), inside.count("delivery")) == (10, 30)
    for left, queue in ((10, "one"), (10, "two"), (0, "three")):
        assert len(taken_from(inside.url, queue)) == 10
        assert inside.count("message") == left


def test_bodies_that_two_last_queues_let_go_at_the_same_moment_are_swept(inside: Any) -> None:
    queue = inside.queue()
    inside.publish(queue, *"abc")
    inside.ask("UPDATE broker.message SET shared = true; DELETE FROM broker.delivery")

    assert inside.ask("SELECT broker.sweep_bodies(0, 2)")[0][0] > 0
    assert inside.ask("SELECT broker.sweep_bodies(0, 2)") == [(0,)]
    assert inside.count("message") == 0


def test_queues_that_come_and_go_while_published_to_leave_nothing_behind(inside: Any) -> None:
    """Whoever routes by a topology that is gone routes again: no message lies where no queue is."""
    inside.connect().channel().exchange_declare("churn", "topic", durable=True, auto_delete=False)
    stop = threading.Event()
    counts = {"sent": 0, "returned": 0}
    wrong: list[BaseException] = []

    def publish() -> None:
        try:
            connection = broker.connect(inside.url)
            channel = connection.channel()
            channel.confirm_select()
            channel.events["basic_return"].add(lambda *_: counts.update(returned=counts["returned"] + 1))
            while not stop.is_set():
                for _ in range(20):
                    channel.basic_publish(amqp.basic_message.Message(b"x"), "churn", "key", mandatory=True)
                counts["sent"] += 20
                connection.drain_events(timeout=10)
            connection.release()
        except BaseException as error:
            wrong.append(error)

    thread = threading.Thread(target=publish)
    thread.start()
    lost = 0
    for turn in range(30):
        channel = inside.open[0].channel()
        channel.queue_declare(f"q{turn}", durable=True, auto_delete=False)
        channel.queue_bind(f"q{turn}", "churn", "#")
        if turn:
            lost += channel.queue_delete(f"q{turn - 1}")
    stop.set()
    thread.join(20)

    assert wrong == []
    orphans = (
        "SELECT count(*) FROM broker.delivery d WHERE NOT EXISTS (SELECT FROM broker.queue q WHERE q.id = d.queue)"
    )
    assert inside.ask(orphans) == [(0,)]
    bodiless = (
        "SELECT count(*) FROM broker.delivery d WHERE NOT EXISTS (SELECT FROM broker.message m WHERE m.id = d.message)"
    )
    assert inside.ask(bodiless) == [(0,)]
    assert counts["sent"] > 0
    # Between two queues a message may be in both for a moment, never in none that was bound when it was confirmed.
    assert lost + inside.count("delivery") >= counts["sent"] - counts["returned"]


def test_what_this_broker_does_not_do_is_refused_when_asked_for(inside: Any) -> None:
    for arguments in (
        {"x-max-priority": 5},
        {"x-max-length": 5, "x-overflow": "reject-publish"},
        {"x-message-ttl": "5s"},
    ):
        with pytest.raises(amqp.PreconditionFailed):
            inside.connect().channel().queue_declare("odd", durable=True, auto_delete=False, arguments=arguments)


def test_a_password_with_signs_in_it_reaches_the_database(inside: Any) -> None:
    role = f"kezhi_odd_{inside.url.rpartition('_')[2]}"
    inside.ask(f"CREATE ROLE {role} LOGIN PASSWORD 'a/b@c:d?e'; GRANT ALL ON SCHEMA broker TO {role};")
    inside.ask(
        f"GRANT ALL ON ALL TABLES IN SCHEMA broker TO {role}; GRANT ALL ON ALL SEQUENCES IN SCHEMA broker TO {role}"
    )
    try:
        scheme, _, rest = inside.url.partition("://")
        url = f"{scheme}://{role}:a%2Fb%40c%3Ad%3Fe@{rest.partition('@')[2]}"
        queue = inside.queue()
        publisher = Publisher(url)
        publisher.publish([Outgoing(queue, b"x", None, None)])
        publisher.close()

        assert taken_from(inside.url, queue)[0].properties["user_id"] == role
        assert "a/b@c" not in broker.connect(url).as_uri()
    finally:
        inside.ask(f"DROP OWNED BY {role}; DROP ROLE {role}")


def test_a_queue_in_use_or_not_empty_can_be_spared(inside: Any) -> None:
    queue = inside.queue()
    inside.publish(queue, "kept")

    with pytest.raises(amqp.PreconditionFailed, match="not empty"):
        inside.connect().channel().queue_delete(queue, if_empty=True)
    inside.taking(queue, 1)
    with pytest.raises(amqp.PreconditionFailed, match="in use"):
        inside.connect().channel().queue_delete(queue, if_unused=True)

    assert inside.count("delivery") == 1


def test_what_must_go_safely_stays_while_it_has_nowhere_to_go(inside: Any) -> None:
    retry = inside.queue(
        "retry", x_message_ttl=100, x_dead_letter_exchange="", x_dead_letter_routing_key="later",
        x_dead_letter_strategy="at-least-once",
    )  # fmt: skip
    inside.taking(retry, 0)  # somebody is alive, and sweeps
    inside.publish(retry, "patient")
    time.sleep(1.5)
    assert inside.count("delivery") == 1

    inside.queue("later")

    _, _, taken = inside.taking("later", 1)
    assert [one.body for one in taken] == [b"patient"]
