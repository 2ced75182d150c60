"""Show 3: every event delivered twice, workers killed at random: one message each; what may have doubled is counted.

Over a RabbitMQ of its own, or the run's embedded broker. The short form has 2,000 events; KEZHI_LONG=1 has 20,000.
"""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import uuid
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest
from cryptography.fernet import Fernet
from sqlalchemy import text

from chassis.messaging import topology
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.testkit import engine
from chassis.testkit.broker import Line, eventually, waiting_in
from chassis.testkit.people import Company
from chassis.testkit.private_rabbitmq import PrivateRabbitMQ
from notify.bootstrap import build_service
from notify.delivery.settling import TWICE_UNKNOWN

LONG = bool(os.environ.get("KEZHI_LONG"))
EVENTS = 20_000 if LONG else 2_000
GUESTS = 200
PATIENCE = 1500 if LONG else 130  # seconds; a quiet machine needs a fraction of it

pytestmark = [pytest.mark.faults, pytest.mark.broker, pytest.mark.timeout(1800 if LONG else 280)]


@pytest.fixture
def broker(request: pytest.FixtureRequest) -> Iterator[str]:
    """A node of its own: consumers that are killed by the dozen are nobody else's affair."""
    if engine.BROKER in engine.embedded():
        yield request.getfixturevalue("amqp_url")
        return
    with PrivateRabbitMQ() as node:
        yield node.url


@pytest.fixture
def hotel(make_runtime: Callable[..., Runtime], broker: str) -> Iterator[Runtime]:
    """A notify service with guests, a handler, and its queues on the broker."""
    runtime = make_runtime(build_service, field_keys=(Fernet.generate_key().decode(),), amqp_url=broker)
    topology.declare(runtime.settings.amqp_url, runtime.names, runtime.service)
    Company(runtime).employ("li", ["handler"])
    told = deliver(runtime, "customers", [registered(number) for number in range(GUESTS)])
    assert told == ["accepted"] * GUESTS
    yield runtime
    topology.forget(broker, runtime.names, runtime.service)


@pytest.fixture
def killed_workers(hotel: Runtime, tmp_path: Path) -> Iterator[Callable[[], tuple[Path, Path]]]:
    """Start workers that are killed at random; a call calms the killer and answers ledger and number of kills."""
    files = {name: tmp_path / name for name in ("ledger", "kills", "clock")}
    files["ledger"].touch()
    files["kills"].write_text("0")
    morning = datetime.now(UTC).replace(hour=2, minute=0)  # 10:00 in Shanghai: no quiet hours, whenever this runs
    files["clock"].write_text(str((morning - datetime.now(UTC)).total_seconds()))
    names = ("database_url", "amqp_url", "instance", "mode", "jwks_url", "field_keys")
    given = {
        **{name: str(path) for name, path in files.items()},
        "settings": {**{name: getattr(hotel.settings, name) for name in names}, "batch_size": 200, "prefetch": 200},
        "seed": 11, "workers": 3, "every": [0.3, 0.9], "calls": 25,
    }  # fmt: skip
    settings = tmp_path / "settings.json"
    settings.write_text(json.dumps(given))
    with (tmp_path / "workers.log").open("wb") as log:
        process = subprocess.Popen(
            [sys.executable, str(Path(__file__).with_name("senders.py")), str(settings)],
            stdin=subprocess.PIPE, stdout=log, stderr=log,
        )  # fmt: skip

    def calm() -> tuple[Path, Path]:
        assert process.poll() is None, (tmp_path / "workers.log").read_text()[-3000:]
        process.stdin.close()  # type: ignore[union-attr]
        return files["ledger"], files["kills"]

    yield calm
    process.kill()
    process.wait()


@pytest.mark.rule("CG-14")
def test_every_event_delivered_twice_makes_one_message_whoever_is_killed(
    hotel: Runtime, killed_workers: Callable[[], tuple[Path, Path]]
) -> None:
    events = [expiring(number) if number % 4 == 0 else due_soon(number) for number in range(EVENTS)]
    twice = [*events, *events]
    random.Random(5).shuffle(twice)
    amqp_url = hotel.settings.amqp_url
    publish(amqp_url, hotel.names.exchange("events"), twice)
    queue = hotel.names.queue("notify", "events")

    eventually(lambda: ended(hotel) > EVENTS * 0.9, PATIENCE, every=0.5)
    ledger, kills = killed_workers()
    eventually(lambda: waiting_in(amqp_url, queue) == 0 and ended(hotel) == EVENTS, PATIENCE, every=0.5)

    verify(hotel, Counter(ledger.read_text().split()), int(kills.read_text()))


def verify(hotel: Runtime, calls: Counter[str], kills: int) -> None:
    """One row, one call or item, one word to the others for each event; every possible duplicate counted."""
    rows = read(hotel, "SELECT id::text, channel, status, possible_duplicates AS doubtful, why, event_id FROM message")
    assert Counter(row["event_id"] for row in rows) == Counter(f"n{number}" for number in range(EVENTS))
    outside = [row for row in rows if row["channel"] == "sms"]
    assert len(outside) == EVENTS // 4
    for row in outside:
        assert row["doubtful"] <= 1
        lost = row["status"] == "permanent_failure" and row["why"] == TWICE_UNKNOWN
        assert (row["status"] == "sent" and calls[row["id"]] >= 1) or lost, dict(row)
        assert calls[row["id"]] <= 1 + row["doubtful"], "a duplicate that nobody counted"
    items = read(hotel, "SELECT message_id::text, count(*) AS items FROM inbox_item GROUP BY 1")
    assert {row["message_id"]: row["items"] for row in items} == {
        row["id"]: 1 for row in rows if row["channel"] == "inbox"
    }
    told = read(hotel, "SELECT count(*) AS told, count(DISTINCT event_id) AS ids FROM chassis.outbox")
    assert (told[0]["told"], told[0]["ids"]) == (EVENTS, EVENTS)
    doubtful = sum(row["doubtful"] for row in outside)
    doubled = sum(calls.values()) - len(calls)
    print(f"{EVENTS} events twice, {kills} kills: {doubtful} possible duplicates counted, {doubled} happened")
    assert kills >= 5
    assert doubled <= doubtful


def ended(hotel: Runtime) -> int:
    return int(read(hotel, "SELECT count(*) AS done FROM message WHERE next_attempt_at IS NULL")[0]["done"])


def read(hotel: Runtime, sql: str) -> list[Any]:
    with hotel.sessions() as session:
        return list(session.execute(text(sql)).mappings())


def publish(url: str, exchange: str, events: list[dict[str, Any]]) -> None:
    """All of them, each confirmed by the broker."""
    with Line(url) as line:
        for event in events:
            line.publish(exchange, event["type"], orjson.dumps(event))


def guest(number: int) -> str:
    return str(uuid.uuid5(uuid.NAMESPACE_URL, f"guest-{number % GUESTS}"))


def said(id_: str, type_: str, subject: str, data: dict[str, Any], **more: Any) -> dict[str, Any]:
    at = datetime.now(UTC).isoformat()
    return {
        "specversion": "1.0", "id": id_, "source": "/kezhi/elsewhere", "type": type_, "subject": subject, "time": at,
        "data": data, **more,
    }  # fmt: skip


def registered(number: int) -> dict[str, Any]:
    data = {
        "customer_id": guest(number), "code": f"C-{number}", "kind": "individual", "name": "王芳", "status": "active",
        "unit": None, "unit_path": "/", "identities": [], "grade": None, "classes": {},
        "phones": [{"number": f"+861380000{number:04}", "label": None}], "emails": [],
        "standing": {"may_trade": True, "reasons": []}, "consents": [],
    }  # fmt: skip
    return said(f"c{number}", "customer.registered.v1", guest(number), data, sequence=f"{1:020d}")


def expiring(number: int) -> dict[str, Any]:
    data = {
        "customer_id": guest(number), "member_id": None, "notice_days": 30, "points": number + 1,
        "expiring": [{"points": number + 1, "on": "2026-12-31"}],
    }  # fmt: skip
    return said(f"n{number}", "points.expiring.v1", guest(number), data)


def due_soon(number: int) -> dict[str, Any]:
    case = str(uuid.uuid5(uuid.NAMESPACE_URL, f"case-{number}"))
    due = (datetime.now(UTC) + timedelta(hours=1)).isoformat()
    data = {
        "customer_id": None, "complaint_id": case, "number": f"TS2026-{number:06d}", "type": "complaint",
        "status": "investigating", "level": 1, "round": 1, "handler": "li", "hidden_from": [],
        "at": datetime.now(UTC).isoformat(),
        "clock": {"kind": "resolution", "due_at": due, "status": "running", "explanation": None}, "used": "0.75",
    }  # fmt: skip
    return said(f"n{number}", "complaint.due_soon.v1", case, data)
