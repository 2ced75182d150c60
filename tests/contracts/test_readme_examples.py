"""What contracts/README.md shows runs as it stands there; only broker and exchange are the test's own."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from pathlib import Path

import pika
import pytest

from kezhi_contracts import validation
from kezhi_contracts.publishing import CONTENT_TYPE

README = (Path(__file__).parents[2] / "contracts" / "README.md").read_text(encoding="utf-8")
EXAMPLES = dict(re.findall(r"^## (With [^\n]+)\n.*?```python\n(.*?)```", README, re.DOTALL | re.MULTILINE))


@pytest.fixture
def channel(rabbitmq_url: str) -> Iterator[pika.adapters.blocking_connection.BlockingChannel]:
    parameters = pika.URLParameters(rabbitmq_url)
    parameters.virtual_host = parameters.virtual_host or "/"
    connection = pika.BlockingConnection(parameters)
    yield connection.channel()
    connection.close()


@pytest.mark.broker
@pytest.mark.parametrize("name", ["With kezhi-contracts", "With plain pika"])
def test_the_example_publishes_a_right_purchase(
    name: str, rabbitmq_url: str, channel: pika.adapters.blocking_connection.BlockingChannel
) -> None:
    exchange = f"test.{uuid.uuid4().hex}"
    channel.exchange_declare(exchange, "topic", auto_delete=True)
    queue = channel.queue_declare("", exclusive=True).method.queue
    channel.queue_bind(queue, exchange, "purchase.#")
    address = rabbitmq_url[:-1] if rabbitmq_url.endswith("//") else rabbitmq_url
    code = EXAMPLES[name].replace("amqp://guest:guest@127.0.0.1:5672/", address).replace("kezhi.purchases", exchange)

    exec(compile(code, "contracts/README.md", "exec"), {})  # noqa: S102 — the text under test is our own

    method, properties, body = channel.basic_get(queue, auto_ack=True)
    event = json.loads(body)
    assert validation.validate(event) == {}
    assert event["data"]["total"] == "256.00"
    assert method.routing_key == event["type"]
    assert (properties.content_type, properties.delivery_mode) == (CONTENT_TYPE, 2)
    assert (properties.message_id, properties.headers) == (event["id"], {"partitionkey": "card:8801"})
    assert properties.user_id == pika.URLParameters(rabbitmq_url).credentials.username


def test_the_body_it_shows_is_right() -> None:
    shown = re.search(r"```json\n(.*?)```", README, re.DOTALL)
    assert shown is not None
    assert validation.validate(json.loads(shown.group(1))) == {}


@pytest.mark.parametrize("name", ["With kezhi-contracts", "With plain pika"])
def test_the_front_page_shows_the_same(name: str) -> None:
    front_page = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")

    assert EXAMPLES[name] in front_page


def test_the_first_example_is_ten_lines() -> None:
    assert len([line for line in EXAMPLES["With kezhi-contracts"].splitlines() if line.strip()]) <= 10
