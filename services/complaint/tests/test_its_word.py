"""The service says nothing that its event schemas don't allow (what it answers: tests/security/test_conformance.py)."""

from __future__ import annotations

from typing import Any

import orjson

from chassis.messaging.admission import contents
from chassis.messaging.event import Event


def test_every_event_follows_its_schema(house: Any, given_complaint: Any, recorded: Any) -> None:
    customer = house.customer()
    paid = given_complaint(customer_id=customer, against={"kind": "staff", "ref": "wang"})
    paid.acknowledged().contacted().triaged().does("progress", {"note": "the maker was asked"})
    paid.proposed(points=2000).resolved().callback(satisfaction=4)
    paid.does("investigate", {"cause": "product.quality", "note": "again", "responsible": []})
    late = given_complaint(complainant={"name": "A", "phone": "1"}, subject="x" * 200)
    given_complaint(complainant=None).does("withdraw", {"reason": "x"})
    given_complaint().does("escalate", {"reason": "x"})
    given_complaint().closed()
    for _ in range(6):
        house.clock.advance(days=1)
        house.drain()

    events: list[Event] = recorded(house.runtime)
    assert late.breached
    assert {event.type for event in events} >= {
        f"complaint.{name}.v1"
        for name in (
            "received", "assigned", "contacted", "progressed", "due_soon", "breached", "escalated", "resolved",
            "reopened", "closed", "compensated",
        )
    }  # fmt: skip
    said = {event.id: contents(event.type, orjson.loads(event.to_json())) for event in events}
    assert {finding for finding in said.values() if finding} == set()
    assert len(said) == len(events)


def test_the_events_of_a_case_are_numbered_in_the_order_of_their_happening(
    given_complaint: Any, recorded: Any, house: Any
) -> None:
    case = given_complaint().contacted().closed()

    mine = [event for event in recorded(house.runtime) if event.subject == case.id and event.sequence is not None]
    numbers = [int(event.sequence or 0) for event in mine]
    assert numbers == sorted(set(numbers))
