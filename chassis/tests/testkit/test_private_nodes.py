"""Private nodes start, survive a kill with what they had confirmed, and leave nothing behind."""

from __future__ import annotations

import time

import pika
import psycopg
from pika.exceptions import AMQPError

from chassis.testkit.private_postgres import PrivatePostgres
from chassis.testkit.private_rabbitmq import PrivateRabbitMQ


def test_a_killed_postgres_comes_back_with_what_was_committed():
    with PrivatePostgres() as node:
        with psycopg.connect(node.url, autocommit=True) as connection:
            connection.execute("CREATE TABLE kept AS SELECT 1 AS n")
        node.kill()
        assert not node.answers()
        node.start()
        with psycopg.connect(node.url) as connection:
            assert connection.execute("SELECT n FROM kept").fetchall() == [(1,)]
        node.restart()
        assert node.answers()
    assert not node.folder.exists()
    assert not node.answers()


def test_a_killed_rabbitmq_comes_back_with_what_was_confirmed():
    quorum = {"x-queue-type": "quorum"}
    with PrivateRabbitMQ() as node:
        with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            channel.exchange_declare("split", "x-consistent-hash", durable=True)
            channel.queue_declare("kept", durable=True, arguments=quorum)
            for n in range(20):
                channel.basic_publish("", "kept", str(n).encode(), pika.BasicProperties(delivery_mode=2))
        time.sleep(1.5)  # see PrivateRabbitMQ
        node.kill()
        assert not node.answers()
        node.start()
        bodies, patience = [], time.monotonic() + 30
        while len(bodies) < 20 and time.monotonic() < patience:  # a quorum queue elects its leader first
            try:
                with pika.BlockingConnection(pika.URLParameters(node.url)) as connection:
                    channel = connection.channel()
                    while (found := channel.basic_get("kept"))[0] is not None:
                        channel.basic_ack(found[0].delivery_tag)
                        bodies.append(int(found[2]))
            except AMQPError:
                pass
            time.sleep(0.1)
        assert sorted(bodies) == list(range(20))
    assert not node.folder.exists()
