"""Nothing lost, nothing doubled: every process killed at random, the broker restarted twice, the database once.

Runs on broker and database nodes of its own. The short form storms for a minute; KEZHI_LONG=1 is the long one.
"""

from __future__ import annotations

import logging
import os
import shutil
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import pika
import pytest
from sqlalchemy import text

from chassis.testkit.private_nodes import PrivatePostgres, PrivateRabbitMQ
from kezhi.api import Api
from kezhi.broker import connect
from kezhi.databases import create_databases
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation
from kezhi.status import await_quiet
from kezhi.up import await_ready, run_prepare
from tests.faults.chaos import Chaos, in_thread
from tests.faults.storm_input import Storm, build
from tests.house import PASSWORD, free_port, free_ports, processes, register

LONG = bool(os.environ.get("KEZHI_LONG"))
SIZE = 20_000 if LONG else 4_000
SECONDS = 300 if LONG else 45

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]


@pytest.fixture
def nodes() -> Iterator[tuple[PrivatePostgres, PrivateRabbitMQ]]:
    with PrivatePostgres() as database, PrivateRabbitMQ() as broker:
        yield database, broker


@pytest.fixture
def installation(
    tmp_path: Path, nodes: tuple[PrivatePostgres, PrivateRabbitMQ], monkeypatch: pytest.MonkeyPatch
) -> Installation:
    database, broker = nodes
    monkeypatch.setenv("KEZHI_ADMIN_PASSWORD", PASSWORD)
    monkeypatch.setenv("KEZHI_HTTP_WORKERS", "1")
    home = Home(tmp_path / "home")
    home.create()
    made = Installation(home, Configuration("storm", broker.url, database.url, free_port()))
    create_databases(made)
    run_prepare(made, calm_pack(tmp_path))
    return made


def calm_pack(folder: Path) -> Path:
    """The storm's pack, with the one that it extends beside it."""
    house = Path(__file__).resolve().parents[2]
    shutil.copytree(house / "policies" / "consumer-goods", folder / "consumer-goods")
    return Path(shutil.copytree(Path(__file__).parent / "storm_pack", folder / "storm"))


def test_a_storm_loses_nothing_and_doubles_nothing(
    installation: Installation, nodes: tuple[PrivatePostgres, PrivateRabbitMQ]
) -> None:
    database, broker = nodes
    logging.getLogger("pika").setLevel(logging.CRITICAL)  # it tells every refused connection six times
    storm = build(SIZE)
    ports = free_ports(installation)
    with processes(installation, ports, SERVICES) as supervisor:
        api = Api(f"http://127.0.0.1:{ports['gateway']}", "admin", PASSWORD)
        cards = register(api, storm.known_cards)
        chaos = Chaos(
            supervisor,
            SECONDS,
            [
                (0.3, "broker restarted", broker.restart),
                (0.55, "database restarted", database.restart),
                (0.8, "broker restarted", broker.restart),
            ],
        )
        publisher = in_thread(lambda: publish(broker.url, "kezhi.storm.purchases", storm))
        newcomers = in_thread(lambda: cards.update(register_late(api, storm.late_cards)))
        chaos.rage()  # in this thread: a node that it restarts dies with the thread that started it
        newcomers.join(300)
        publisher.join(300)
        assert not publisher.is_alive(), "the publisher never got all its confirms"
        await_ready(ports, supervisor.stopping)
        await_quiet(installation, 420)
        print(f"struck: {dict(chaos.struck)}")
        assert chaos.struck["broker restarted"] == 2
        assert chaos.struck["database restarted"] == 1
        verify(api, installation, storm, cards)


def register_late(api: Api, cards: list[str]) -> dict[str, str]:
    """Register in the middle of the storm those whose purchases are waiting by then."""
    time.sleep(SECONDS / 2)
    return register(api, cards)


def publish(url: str, exchange: str, storm: Storm) -> None:
    """Publish every message until the broker confirmed it; what a broken connection made doubtful goes out again."""
    waiting = list(storm.messages)
    pace = SECONDS * 0.8 / len(waiting)
    while waiting:
        with suppress(pika.exceptions.AMQPError, OSError), connect(url) as connection:
            channel = connection.channel()
            channel.confirm_delivery()
            while waiting:
                key, body = waiting[0]
                channel.basic_publish(
                    exchange,
                    key,
                    body,
                    mandatory=True,
                    properties=pika.BasicProperties(content_type="application/cloudevents+json", delivery_mode=2),
                )
                waiting.pop(0)
                time.sleep(pace)
        time.sleep(0.3)


def verify(api: Api, installation: Installation, storm: Storm, cards: dict[str, str]) -> None:
    """Every fact that the storm might have bent."""
    with ThreadPoolExecutor(3) as pool:
        members = dict(
            zip(cards, pool.map(lambda card: api.get(f"/members/{cards[card]}")["points"], cards), strict=True)
        )
    actual = {card: sum(points[name] for name in ("available", "pending", "held")) for card, points in members.items()}
    expected = {card: storm.points.get(card, 0) for card in cards}
    wrong = {card: (actual[card], expected[card]) for card in cards if actual[card] != expected[card]}
    assert not wrong, f"points differ (actual, expected): {dict(list(wrong.items())[:5])} … {len(wrong)} in all"
    found = api.post("/reconciliations", {}, f"storm-{time.time_ns()}")
    assert found["mismatches"] == 0
    for service in SERVICES:
        runtime = installation.runtime(service)
        with runtime.sessions() as session:
            unpublished = session.scalar(text("SELECT count(*) FROM chassis.outbox WHERE status <> 'published'"))
            assert unpublished == 0, f"{service}: {unpublished} outbox rows were never published"
            if service == "gateway":
                continue
            letters = session.execute(text("SELECT body, reason FROM chassis.dead_letter")).all()
            dead = {bytes(letter.body) for letter in letters}
            expected_dead = storm.malformed if service in ("customer", "loyalty") else set()  # who take purchases
            assert dead == expected_dead, (
                f"{service}: {[letter.reason for letter in letters if bytes(letter.body) not in expected_dead][:3]}"
            )
            assert all(letter.reason for letter in letters)
        runtime.engine.dispose()
    customer = installation.runtime("customer")
    with customer.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM purchase")) == storm.purchases
        filed = session.scalar(text("SELECT count(*) FROM archive_entry WHERE source = '/kezhi/loyalty'"))
        heard = session.scalar(
            text("SELECT count(*) FROM chassis.inbox WHERE subscription = 'archive' AND source = '/kezhi/loyalty'")
        )
    customer.engine.dispose()
    loyalty = installation.runtime("loyalty")
    with loyalty.sessions() as session:
        told = session.scalar(text("SELECT count(*) FROM chassis.outbox WHERE type NOT LIKE 'policy.%'"))
    loyalty.engine.dispose()
    assert told == heard == filed, "every event of loyalty has its one effect at its subscriber"
