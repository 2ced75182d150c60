"""`latency`: from a published purchase to points that the API answers, while the house works at a fifth of its rate.

Bar: p50 60 ms, p99 250 ms; aim 25 / 100 ms. The load is set by a calibration in the same run: as many events as fast
as the broker takes them, timed until loyalty has booked the last one.
"""

from __future__ import annotations

import statistics
import tempfile
import threading
import time
import uuid
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text
from tests.house import House, build_house

from benchmarks.measure import Table
from chassis.messaging.names import BrokerNames
from chassis.testkit import backends
from kezhi_contracts.publishing import Publisher

MEMBERS = 500
CALIBRATION = 6_000
PROBES = 300
SHARE = 0.20


def main(*, full: bool = False) -> bool:
    """Measure and print; True when the bar is reached."""
    probes = PROBES * (4 if full else 1)
    with tempfile.TemporaryDirectory() as folder:
        house = build_house(Path(folder) / "home", backends.broker_url(), backends.postgres_url())
        house.up()
        try:
            return _measure(house, probes)
        finally:
            house.down()
            house.command("reset", "--yes")


def _measure(house: House, probes: int) -> bool:
    api = house.api()
    ids = [_register(api, number) for number in range(MEMBERS)]
    house.command("status", "--wait", "60")
    exchange = BrokerNames(house.instance).exchange("purchases")
    installation = house.installation()
    loyalty = installation.runtime("loyalty")
    state: Any = installation.home.read_state()
    with Publisher(house.amqp_url, exchange=exchange) as publisher:
        rate = _calibrate(publisher, loyalty, ids)
        stop = threading.Event()
        load = threading.Thread(target=_load, args=(house.amqp_url, exchange, ids, rate * SHARE, stop), daemon=True)
        load.start()
        time.sleep(2)
        reader = httpx.Client(base_url=f"http://127.0.0.1:{state['ports']['loyalty']}/api/v1", trust_env=False)
        waits = [_probe(publisher, reader, api, number) for number in range(probes)]
        stop.set()
        load.join()
    loyalty.engine.dispose()
    cut = statistics.quantiles(waits, n=100)
    p50, p99 = cut[49], cut[98]
    table = Table(
        f"latency: {probes} probes at {rate * SHARE:,.0f} events/s ({SHARE:.0%} of {rate:,.0f})",
        ("", "measured", "bar", "aim"),
    )
    table.row("p50", f"{p50:.0f} ms", "60 ms", "25 ms")
    table.row("p99", f"{p99:.0f} ms", "250 ms", "100 ms")
    table.print()
    return p50 <= 60 and p99 <= 250


def _register(api: Any, number: int) -> str:
    body = {
        "kind": "individual",
        "name": f"Bench {number}",
        "identities": [{"scheme": "bench", "value": str(number)}],
    }
    return str(api.post("/customers", body, f"bench-{number}")["id"])


def _purchase(customer: str, total: str = "10.00") -> dict[str, Any]:
    now = datetime.now(UTC).isoformat()
    number = uuid.uuid4().hex
    return {
        "specversion": "1.0",
        "type": "purchase.completed.v1",
        "source": "/pos/bench",
        "id": number,
        "time": now,
        "subject": customer,
        "partitionkey": customer,
        "datacontenttype": "application/json",
        "data": {
            "purchase_id": number,
            "customer": {"id": customer},
            "occurred_at": now,
            "currency": "CNY",
            "total": total,
            "lines": [],
        },
    }


def _calibrate(publisher: Publisher, loyalty: Any, ids: list[str]) -> float:
    booked = text("SELECT count(*) FROM chassis.inbox WHERE subscription = 'purchases'")
    with loyalty.sessions() as session:
        before = session.scalar(booked)
    began = time.perf_counter()
    for number in range(CALIBRATION):
        publisher.publish(_purchase(ids[number % len(ids)]))
    publisher.flush()
    while True:
        with loyalty.sessions() as session:
            if session.scalar(booked) - before >= CALIBRATION:
                return CALIBRATION / (time.perf_counter() - began)
        time.sleep(0.02)


def _load(url: str, exchange: str, ids: list[str], rate: float, stop: threading.Event) -> None:
    with Publisher(url, exchange=exchange) as publisher:
        began, sent = time.perf_counter(), 0
        while not stop.is_set():
            due = int((time.perf_counter() - began) * rate)
            for _ in range(due - sent):
                publisher.publish(_purchase(ids[sent % (len(ids) // 2)]))
                sent += 1
            publisher.flush()
            time.sleep(0.005)


def _probe(publisher: Publisher, reader: httpx.Client, api: Any, number: int) -> float:
    """Milliseconds from the publish to the first answer that shows the points. Probed members get no other load."""
    customer = _probed(api, number)
    before = _pending(reader, api, customer)
    publisher.publish(_purchase(customer))
    publisher.flush()
    began = time.perf_counter()
    while _pending(reader, api, customer) == before:
        time.sleep(0.002)
    return (time.perf_counter() - began) * 1000


_PROBED: dict[int, str] = {}


def _probed(api: Any, number: int) -> str:
    slot = number % 20 + MEMBERS // 2
    if slot not in _PROBED:
        _PROBED[slot] = api.get("/customers", identity=f"bench:{slot}")["items"][0]["id"]
    return _PROBED[slot]


def _pending(reader: httpx.Client, api: Any, customer: str) -> int:
    answer = reader.get(f"/members/{customer}", headers={"Authorization": f"Bearer {api.bearer()}"})
    answer.raise_for_status()
    return int(answer.json()["points"]["pending"])
