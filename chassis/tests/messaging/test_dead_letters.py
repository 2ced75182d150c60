"""A dead letter keeps its body and reason until a person decides, and a replay has its effect once."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from sqlalchemy import select

from chassis.messaging import topology
from chassis.messaging.broker import Outgoing, Publisher
from chassis.messaging.consumer import Consumer
from chassis.messaging.dead_letters import Collector, DeadLetter
from chassis.messaging.incoming import ATTEMPTS, QUEUE, REASON
from chassis.runtime import Runtime
from chassis.testkit.broker import eventually, waiting_in

pytestmark = pytest.mark.broker


@pytest.fixture(autouse=True)
def working(runtime: Runtime, amqp_url: str) -> Iterator[None]:
    """The till's consumer and the collector run."""
    topology.declare(amqp_url, runtime.names, runtime.service)
    stop = threading.Event()
    parts = (Consumer(runtime, runtime.service.subscriptions[0]), Collector(runtime))
    threads = [threading.Thread(target=part.run, args=(stop,)) for part in parts]
    for thread in threads:
        thread.start()
    yield
    stop.set()
    for thread in threads:
        thread.join(10)
    topology.forget(amqp_url, runtime.names, runtime.service)


def send(runtime: Runtime, body: bytes, **headers: Any) -> None:
    queue = runtime.names.queue("shop", "till")
    Publisher(runtime.settings.amqp_url).publish([Outgoing(queue, body, "application/json", None, headers)])


def letters(runtime: Runtime) -> list[DeadLetter]:
    with runtime.sessions() as session:
        return list(session.scalars(select(DeadLetter).order_by(DeadLetter.first_at)))


def test_a_rejected_message_is_listed_with_body_and_reason(runtime: Runtime, client: Callable[..., Any]) -> None:
    body = b'{"type": "purchase.completed.v1", "id": "e1\\u0000", "source": "/pos/1"}'
    send(runtime, body)
    eventually(lambda: letters(runtime))

    (listed,) = client(runtime).get("/api/v1/services/shop/dead-letters").json["items"]
    whole = client(runtime).get(f"/api/v1/services/shop/dead-letters/{listed['id']}").json

    assert (listed["queue"], listed["source"]) == (runtime.names.queue("shop", "till"), "/pos/1")
    assert "specversion" in listed["reason"]
    assert (listed["status"], listed["times"], whole["body"]) == ("waiting", 1, body.decode())


def test_a_replay_after_the_mend_has_its_effect_once(runtime: Runtime, shop: Any, client: Callable[..., Any]) -> None:
    shop.reject["e1"] = "No such shop."
    send(runtime, shop.purchase("e1").to_json())
    (letter,) = eventually(lambda: letters(runtime))
    shop.reject.clear()

    path = f"/api/v1/services/shop/dead-letters/{letter.id}/replay"
    assert client(runtime).post(path).json["status"] == "replayed"
    assert client(runtime).post(path).json["status"] == "replayed"

    eventually(lambda: shop.effects(runtime) == ["e1"])
    assert client(runtime).get("/api/v1/services/shop/dead-letters?status=waiting").json["items"] == []


def test_a_letter_that_dies_again_waits_again_in_the_same_row(
    runtime: Runtime, shop: Any, client: Callable[..., Any]
) -> None:
    shop.reject["e1"] = "No such shop."
    send(runtime, shop.purchase("e1").to_json())
    (letter,) = eventually(lambda: letters(runtime))

    client(runtime).post("/api/v1/services/shop/dead-letters/replay", json={"ids": [str(letter.id)]})

    (again,) = eventually(lambda: [found for found in letters(runtime) if found.times == 2])
    assert (again.id, again.status, again.decided_by) == (letter.id, "waiting", None)


def test_a_dropped_letter_keeps_its_reason_and_is_not_replayed(runtime: Runtime, client: Callable[..., Any]) -> None:
    send(runtime, b"rubbish")
    (letter,) = eventually(lambda: letters(runtime))
    path = f"/api/v1/services/shop/dead-letters/{letter.id}"

    assert client(runtime).post(f"{path}/drop", json={}).status_code == 422
    dropped = client(runtime).post(f"{path}/drop", json={"reason": "A test of the till."}).json
    assert (dropped["status"], dropped["note"], dropped["decided_by"]) == ("dropped", "A test of the till.", "admin")
    assert client(runtime).post(f"{path}/replay").status_code == 409


def test_only_those_who_may_decide_about_dead_letters(runtime: Runtime, client: Callable[..., Any]) -> None:
    path = f"/api/v1/services/shop/dead-letters/{uuid.uuid4()}"

    assert client(runtime).get(path).status_code == 404
    assert client(runtime, roles=["auditor"]).post(f"{path}/replay").status_code == 403
    assert client(runtime, roles=["cashier"]).get("/api/v1/services/shop/dead-letters").status_code == 403


def test_what_the_broker_dead_lettered_says_so(runtime: Runtime) -> None:
    dead = runtime.names.dead(runtime.names.queue("shop", "clerk"))

    Publisher(runtime.settings.amqp_url).publish([Outgoing(dead, b"\xff", None, None, {ATTEMPTS: "many"})])

    (letter,) = eventually(lambda: letters(runtime))
    assert (letter.reason, letter.attempts) == ("The broker dead-lettered it (no reason given).", 0)
    assert letter.queue == runtime.names.queue("shop", "clerk")


def test_thousands_of_dead_letters_are_collected(runtime: Runtime) -> None:
    dead = runtime.names.dead(runtime.names.queue("shop", "clerk"))
    headers = {REASON: "Rubbish.", QUEUE: "elsewhere"}
    Publisher(runtime.settings.amqp_url).publish(
        [Outgoing(dead, str(n).encode(), None, None, headers) for n in range(2000)]
    )

    eventually(lambda: len(letters(runtime)) == 2000)
    assert waiting_in(runtime.settings.amqp_url, dead) == 0


@pytest.mark.rule("TR-11")
def test_a_letter_about_a_hidden_matter_does_not_exist_for_the_accused(
    runtime: Runtime, client: Callable[..., Any]
) -> None:
    send(runtime, b'{"type": "x", "data": {"hidden_from": [{"staff": "zhou", "with_subordinates": true}, 7, {}]}}')
    eventually(lambda: letters(runtime))
    (letter,) = letters(runtime)
    at = "/api/v1/services/shop/dead-letters"

    zhou, qian = (client(runtime, username=name) for name in ("zhou", "qian"))

    assert [found["id"] for found in qian.get(at).json["items"]] == [str(letter.id)]
    assert zhou.get(at).json["items"] == []
    assert zhou.get(f"{at}/{letter.id}").status_code == 404
    assert zhou.post(f"{at}/{letter.id}/replay").status_code == 404
    assert zhou.post(f"{at}/drop", json={"ids": [str(letter.id)], "reason": "gone"}).status_code == 404
    assert qian.get(f"{at}/{letter.id}").status_code == 200
