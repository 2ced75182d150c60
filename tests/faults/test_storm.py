"""Nothing lost, nothing doubled: every process killed at random, and what they stand on as well.

On servers of the test's own the broker is restarted twice and the database once; without servers PostgreSQL is killed,
the supervisor is killed, and both at once. The short form storms for a minute; KEZHI_LONG=1 is the long one.
"""

from __future__ import annotations

import os
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import pytest
from sqlalchemy import text

from chassis.messaging.broker import BROKER_TROUBLE
from chassis.testkit.broker import Line
from kezhi.api import Api
from kezhi.installation import SERVICES, Installation
from kezhi.status import await_quiet
from tests.faults.chaos import Chaos, in_thread
from tests.faults.grounds import Ground, ground  # noqa: F401 - a fixture
from tests.faults.storm_input import Storm, build
from tests.house import PASSWORD, register

LONG = bool(os.environ.get("KEZHI_LONG"))
SIZE = 20_000 if LONG else 4_000
SECONDS = 300 if LONG else 45

pytestmark = [pytest.mark.faults, pytest.mark.timeout(1500)]


def test_a_storm_loses_nothing_and_doubles_nothing(ground: Ground) -> None:  # noqa: F811
    storm = build(SIZE)
    configuration = ground.installation.configuration
    api = Api(f"http://127.0.0.1:{ground.port}", "admin", PASSWORD)
    cards = register(api, storm.known_cards)
    chaos = Chaos(ground.victims, SECONDS, ground.disasters())
    exchange = f"kezhi.{configuration.instance}.purchases"
    publisher = in_thread(lambda: publish(configuration.amqp_url, exchange, storm))
    newcomers = in_thread(lambda: cards.update(register_late(api, storm.late_cards)))
    chaos.rage()  # in this thread: a node that it restarts dies with the thread that started it
    newcomers.join(300)
    publisher.join(300)
    assert not publisher.is_alive(), "the publisher never got all its confirms"
    ground.await_calm()
    await_quiet(ground.installation, 420)
    print(f"struck: {dict(chaos.struck)}")
    befell = Counter(name for _, name, _ in ground.disasters())
    assert {name: chaos.struck[name] for name in befell} == befell
    verify(api, ground.installation, storm, cards)


def register_late(api: Api, cards: list[str]) -> dict[str, str]:
    """Register in the middle of the storm those whose purchases are waiting by then."""
    time.sleep(SECONDS / 2)
    return register(api, cards)


def publish(url: str, exchange: str, storm: Storm) -> None:
    """Publish every message until the broker confirmed it; what a broken connection made doubtful goes out again."""
    waiting = list(storm.messages)
    pace = SECONDS * 0.8 / len(waiting)
    while waiting:
        with suppress(*BROKER_TROUBLE), Line(url) as line:
            while waiting:
                key, body = waiting[0]
                line.publish(exchange, key, body)
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
