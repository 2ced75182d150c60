"""The service says nothing that its event schemas don't allow."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import orjson

from chassis.messaging.admission import contents
from chassis.messaging.event import Event


def test_every_event_and_every_snapshot_follows_its_schema(programme: Any, api: Any, recorded: Any) -> None:
    customer = programme.enrol("card:1", birthday="1990-11-05")
    programme.buys("5000.00", "P1", at=programme.clock.now() - timedelta(days=10))
    programme.buys("300.00", "P2")
    hold = api.post("holds", {"customer_id": customer, "points": 400}).get_json()["id"]
    captured = api.post(f"holds/{hold}/capture", {"points": 250}).get_json()
    api.post("rewards", {"code": "TEA", "kind": "voucher", "name": "一盒茶", "points": 100})
    api.post("redemptions", {"customer_id": customer, "reward": "TEA", "quantity": 2})
    api.post(f"redemptions/{captured['redemption_id']}/cancel", {"reason": "by mistake"})
    programme.refunds("P1", "4800.00")
    programme.refunds("P2", "0.10")
    programme.clock.travel_to(datetime(2028, 1, 2, tzinfo=UTC))
    programme.run("release-pending")
    programme.run("expire-lots")
    programme.run("review-tiers")
    events: list[Event] = recorded(programme.runtime)
    (snapshot,) = programme.runtime.service.snapshots
    with programme.runtime.sessions() as session:
        again = [event for page in snapshot.pages(session) for event in page]

    assert {event.type for event in events} == {
        "member.enrolled.v1", "points.earned.v1", "points.redeemed.v1", "points.reversed.v1", "points.expired.v1",
        "tier.changed.v1", "reward.issued.v1",
    }  # fmt: skip
    assert {event.type for event in again} == {"member.enrolled.v1", "tier.changed.v1"}
    said = {event.id: contents(event.type, orjson.loads(event.to_json())) for event in [*events, *again]}
    assert {finding for finding in said.values() if finding} == set()
