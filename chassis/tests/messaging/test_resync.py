"""A service that was deployed later, or restored, is brought level without anybody else hearing it twice."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import orjson
import pytest

from chassis.cli import main
from chassis.errors import NotFound
from chassis.messaging import outbox, resync, topology
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.service import Snapshot
from chassis.testkit.broker import taken_from, waiting_in

pytestmark = pytest.mark.broker


def pages(session: Any) -> Iterator[list[Any]]:
    for page in range(3):
        yield [
            outbox.draft(session, "purchase.seen.v1", subject=f"s{page}.{n}", data={}, key=f"{page}.{n}")
            for n in range(2)
        ]


@pytest.fixture
def republishing(make_runtime: Callable[..., Runtime], shop: Any, amqp_url: str) -> Iterator[Runtime]:
    from dataclasses import replace

    runtime = make_runtime(replace(shop.service(), snapshots=(Snapshot("seen", pages),)))
    topology.declare(amqp_url, runtime.names, runtime.service)
    yield runtime
    topology.forget(amqp_url, runtime.names, runtime.service)


def test_a_snapshot_goes_to_the_named_queue_alone(republishing: Runtime, amqp_url: str) -> None:
    clerk, till = (republishing.names.queue("shop", name) for name in ("clerk", "till"))

    assert resync.republish(republishing, "seen", clerk) == 6

    subjects = [orjson.loads(message.body)["subject"] for message in taken_from(amqp_url, clerk)]
    assert subjects == ["s0.0", "s0.1", "s1.0", "s1.1", "s2.0", "s2.1"]
    assert waiting_in(amqp_url, till) == 0


def test_an_unknown_snapshot_is_refused(republishing: Runtime) -> None:
    with pytest.raises(NotFound):
        resync.republish(republishing, "nothing", "nowhere")


def test_the_verb_does_the_same_from_a_services_own_environment(
    republishing: Runtime, amqp_url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    clerk = republishing.names.queue("shop", "clerk")
    monkeypatch.setenv("KEZHI_DATABASE_URL", republishing.settings.database_url)
    monkeypatch.setenv("KEZHI_AMQP_URL", amqp_url)

    main(lambda: republishing.service, ["resync", "seen", "--queue", clerk])
    main(lambda: republishing.service, ["resync", "purchases", "--queue", clerk, "--from", "2026-11-01"])

    assert capsys.readouterr().out.splitlines() == [
        f"6 events republished to {clerk}",
        f"0 events republished to {clerk}",
    ]
    assert waiting_in(amqp_url, clerk) == 6
    with pytest.raises(SystemExit):
        main(lambda: republishing.service, ["resync", "seen", "--queue", f"{clerk}.misspelt"])
    assert "misspelt" in capsys.readouterr().err


def test_raw_purchases_are_replayed_from_a_time_on(
    republishing: Runtime, shop: Any, amqp_url: str, clock: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(resync, "_PAGE", 2)
    deliver(republishing, "till", [shop.purchase("before")])
    since = clock.advance(hours=1)
    bodies = [shop.purchase(f"e{n}").to_json() for n in range(5)]
    deliver(republishing, "till", bodies)
    queue = republishing.names.queue("shop", "clerk")

    assert resync.republish_purchases(republishing, since, queue) == 5
    assert sorted(message.body for message in taken_from(amqp_url, queue)) == sorted(bodies)
    assert resync.republish_purchases(republishing, since + timedelta(hours=1), queue) == 0
