"""Who may say what on the purchases exchange: a false claim is a dead letter and counted, nothing vanishes unseen."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from amqp.exceptions import PreconditionFailed
from prometheus_client import REGISTRY
from sqlalchemy import text

from chassis.messaging.broker import user_of
from chassis.messaging.topology import declare, unrouted_queue
from chassis.runtime import Runtime
from chassis.testkit.broker import Line, eventually, waiting_in
from chassis.testkit.builders import Purchase
from kezhi.installation import build_service
from kezhi_contracts import schemas
from tests.pair import Pair, at_work

pytestmark = [pytest.mark.broker, pytest.mark.database]


@pytest.fixture
def guarded(make_runtime: Callable[..., Runtime], tmp_path: Path, amqp_url: str, clock: Any, request: Any) -> Pair:
    """Both services knowing one publisher, who speaks for the tills of Shanghai."""
    user = user_of(amqp_url)
    file = tmp_path / "publishers.yaml"
    file.write_text(f'{user}: {{sources: ["/pos/shanghai-*"], stores: [SH001], types: [purchase.completed.v1]}}\n')
    customer, loyalty = (make_runtime(build_service(name), publishers_file=file) for name in ("customer", "loyalty"))
    for runtime in (customer, loyalty):
        declare(amqp_url, runtime.names, runtime.service)
    return Pair(customer, loyalty, clock, request.getfixturevalue("client"), request.getfixturevalue("recorded"))


def publish(pair: Pair, event: dict[str, Any], user: str | None, key: str | None = None) -> None:
    """As another system would, confirmed."""
    exchange, body = pair.customer.names.exchange("purchases"), json.dumps(event).encode()
    with Line(pair.customer.settings.amqp_url) as line:
        line.publish(exchange, key or event["type"], body, message_id=event["id"], user_id=user)


def purchase(**changes: Any) -> dict[str, Any]:
    return dict(json.loads(Purchase(total="88.00").but(**changes).event().to_json()))


def reasons(runtime: Runtime) -> dict[str, str]:
    with runtime.sessions() as session:
        rows = session.execute(text("SELECT event_id, reason FROM chassis.dead_letter")).all()
    return {row.event_id: row.reason for row in rows}


def counted(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(name, labels) or 0.0


def test_a_false_claim_is_a_dead_letter_with_its_reason_and_counted(guarded: Pair, amqp_url: str) -> None:
    customer = guarded.register("8801")
    user = user_of(amqp_url)
    said = {
        "honest": (purchase(event_id="honest"), user, None),
        "other source": (purchase(event_id="other source", source="/pos/beijing-1"), user, "may not speak as source"),
        "other store": (purchase(event_id="other store", store="BJ001"), user, "may not speak for store"),
        "nobody": (purchase(event_id="nobody"), None, "nobody vouches for its source"),
        "other type": (
            json.loads(Purchase().refund("1.00", event_id="other type").event().to_json()),
            user,
            "may not say purchase.refunded.v1",
        ),
    }
    refused = {name: why for name, (_, _, why) in said.items() if why}
    queues = [runtime.names.queue(runtime.service.name, "purchases") for runtime in (guarded.customer, guarded.loyalty)]
    rejected = counted("kezhi_events_consumed_total", subscription="purchases", fate="rejected")

    with at_work(guarded.customer, guarded.loyalty):
        for event, claimant, _ in said.values():
            publish(guarded, event, claimant)
        for runtime in (guarded.customer, guarded.loyalty):
            eventually(lambda runtime=runtime: len(reasons(runtime)) == len(refused))
            found = reasons(runtime)
            assert found.keys() == refused.keys()
            assert {name: why for name, why in found.items() if refused[name] not in why} == {}
        eventually(lambda: guarded.purse(customer)["pending"] == 88)

    # Both services run in this process and share its counters.
    now = counted("kezhi_events_consumed_total", subscription="purchases", fate="rejected")
    assert now - rejected == 2 * len(refused)
    for queue in queues:
        assert counted("kezhi_dead_letters_total", queue=f"{queue}.dead") == len(refused)
    listed = guarded.get(guarded.loyalty, "services/loyalty/dead-letters")["items"]
    assert {letter["publisher"] for letter in listed if letter["event_id"] != "nobody"} == {user}


def test_the_broker_refuses_who_speaks_under_another_name(rabbitmq_url: str, guarded: Pair) -> None:
    with pytest.raises(PreconditionFailed, match="user_id"):
        publish(guarded, purchase(), "kezhi_customer")


def test_what_no_queue_asks_for_is_seen_and_disturbs_nobody(pair: Pair, amqp_url: str) -> None:
    customer = pair.register("8801")
    for runtime in (pair.customer, pair.loyalty):
        declare(amqp_url, runtime.names, runtime.service)
    milestone = schemas.example("milestone.reached.v1")
    misrouted = purchase(event_id="misrouted")

    with at_work(pair.customer, pair.loyalty):
        publish(pair, milestone, None, key="stage.reached")
        publish(pair, misrouted, None, key="sale.completed")
        publish(pair, purchase(), None)
        eventually(lambda: pair.purse(customer)["pending"] == 88)
        aside = unrouted_queue(pair.customer.names)
        eventually(lambda: waiting_in(amqp_url, aside) == 2)
        eventually(lambda: counted("kezhi_unrouted_messages") == 2)

    assert reasons(pair.customer) == reasons(pair.loyalty) == {}
