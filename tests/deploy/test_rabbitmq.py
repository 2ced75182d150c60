"""The broker of docker-compose.yml: definitions in force, users that may do their work, dead letters that climb."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import kombu
import pytest
from amqp.exceptions import AccessRefused

from chassis.messaging import topology
from chassis.messaging.names import BrokerNames
from chassis.messaging.topology_plan import DELIVERY_LIMIT
from chassis.testkit.broker import eventually, waiting_in
from chassis.testkit.private_rabbitmq import PrivateRabbitMQ
from kezhi.installation import SERVICES, build_service

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"

pytestmark = [pytest.mark.broker]


def test_the_definitions_say_what_the_services_subscribe_to() -> None:
    checked = subprocess.run(
        [sys.executable, DEPLOY / "rabbitmq/generate.py", "--check"], capture_output=True, text=True, check=False
    )

    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("deploy") / "secrets"
    subprocess.run(["bash", DEPLOY / "make-secrets.sh", folder], check=True, capture_output=True)
    return folder


@pytest.fixture(scope="module")
def node(secrets: Path) -> Iterator[PrivateRabbitMQ]:
    """A broker that has imported the definitions and knows the users, and nobody else."""
    with PrivateRabbitMQ() as started:
        file = started.folder / "definitions.json"
        file.write_bytes((DEPLOY / "rabbitmq/definitions.json").read_bytes())
        file.chmod(0o644)
        control = started.server.with_name("rabbitmqctl")
        started.run(str(control), "-q", "import_definitions", str(file))
        script = started.folder / "users.sh"
        script.write_bytes((DEPLOY / "rabbitmq/users.sh").read_bytes())
        folder = started.folder / "secrets"
        folder.mkdir(mode=0o755)
        for secret in secrets.iterdir():
            (folder / secret.name).write_text(secret.read_text())
        path = f"{control.parent}:{os.environ['PATH']}"
        started.run("env", f"PATH={path}", f"KEZHI_SECRETS={folder}", "bash", str(script))
        yield started


def url_of(node: PrivateRabbitMQ, user: str, password: Path) -> str:
    return f"amqp://{user}:{password.read_text()}@127.0.0.1:{node.port}/%2F"


@pytest.mark.parametrize("service", SERVICES)
def test_each_service_finds_the_policies_in_force_and_may_split_its_queues(
    node: PrivateRabbitMQ, secrets: Path, service: str
) -> None:
    url = url_of(node, f"kezhi-{service}", secrets / "broker_password")

    found = topology.declare(url, BrokerNames(), build_service(service))

    assert found.arguments == "policies"
    assert topology.declare(url, BrokerNames(), build_service(service), partitions=2).consistent_hash


def test_a_message_climbs_the_ladder_and_ends_in_the_dead_queue(node: PrivateRabbitMQ, secrets: Path) -> None:
    url = url_of(node, "kezhi-loyalty", secrets / "broker_password")
    with kombu.Connection(url) as connection:
        channel = connection.channel()
        channel.basic_publish_confirm(
            channel.prepare_message(b"climber", properties={"delivery_mode": 2}),
            exchange="",
            routing_key="loyalty.customers.retry.5s",
        )
        eventually(lambda: waiting_in(url, "loyalty.customers") == 1, seconds=20)

        refused = 0
        deadline = time.monotonic() + 60
        while not waiting_in(url, "loyalty.customers.dead") and time.monotonic() < deadline:
            taken = channel.basic_get("loyalty.customers")
            if taken is None:
                time.sleep(0.02)
                continue
            channel.basic_reject(taken.delivery_tag, requeue=True)
            refused += 1

        assert refused == DELIVERY_LIMIT + 1
        dead = channel.basic_get("loyalty.customers.dead", no_ack=True)
        assert dead.headers["x-death"][0]["reason"] == "delivery_limit"


def test_a_publishing_system_publishes_and_nothing_else(node: PrivateRabbitMQ, secrets: Path) -> None:
    with kombu.Connection(url_of(node, "pos", secrets / "publisher_password")) as connection:

        def publish(exchange: str, key: str, user: str) -> None:
            channel = connection.channel()
            channel.basic_publish_confirm(
                channel.prepare_message(b"{}", properties={"user_id": user}), exchange=exchange, routing_key=key
            )

        publish("kezhi.purchases", "purchase.completed.v1", "pos")
        for exchange, key, user in (
            ("kezhi.purchases", "customer.registered.v1", "pos"),
            ("kezhi.events", "purchase.completed.v1", "pos"),
            ("", "loyalty.purchases", "pos"),
        ):
            with pytest.raises(AccessRefused):
                publish(exchange, key, user)
        with pytest.raises(Exception, match="user_id"):
            publish("kezhi.purchases", "purchase.completed.v1", "kezhi-loyalty")
        with pytest.raises(AccessRefused):
            connection.channel().basic_get("loyalty.purchases")
