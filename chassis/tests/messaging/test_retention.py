"""What did its work is swept in steps; what still waits for somebody is not."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text

from chassis.messaging import outbox, retention
from chassis.messaging.testing import deliver
from chassis.runtime import Runtime

SWEEPS = {schedule.name: schedule.run for schedule in retention.SCHEDULES}


def sweep(runtime: Runtime, name: str) -> bool:
    with runtime.context() as context:
        return SWEEPS[name](context)


def count(runtime: Runtime, statement: str) -> int:
    with runtime.sessions() as session:
        return session.execute(text(f"SELECT count(*) FROM {statement}")).scalar_one()


def test_bodies_go_after_14_days_and_their_claims_stay(runtime: Runtime, shop: Any, clock: Any) -> None:
    event = shop.purchase("e1")
    deliver(runtime, "till", [event])
    clock.advance(days=13)
    deliver(runtime, "till", [shop.purchase("e2")])
    clock.advance(days=2)

    assert sweep(runtime, "messaging.inbox-bodies") is False

    assert count(runtime, "chassis.inbox WHERE body IS NOT NULL") == 1
    assert deliver(runtime, "till", [event]) == ["duplicate"]


def test_published_rows_go_and_others_stay(runtime: Runtime, shop: Any, clock: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr(retention, "_STEP", 2)
    with runtime.context() as context:
        context.session.execute(text("DELETE FROM chassis.outbox"))  # what setting up announced
        outbox.record(context.session, [shop.purchase(f"e{n}") for n in range(5)])
        done = text("UPDATE chassis.outbox SET status = :status WHERE event_id = ANY(:ids)")
        context.session.execute(done, {"status": "published", "ids": ["e0", "e1", "e2"]})
        context.session.execute(done, {"status": "failed", "ids": ["e3"]})
    clock.advance(days=15)

    assert sweep(runtime, "messaging.outbox") is True  # more is left than one step takes
    assert sweep(runtime, "messaging.outbox") is False

    assert count(runtime, "chassis.outbox WHERE status = 'published'") == 0
    assert count(runtime, "chassis.outbox") == 2
