"""The service says nothing that its event schemas and its OpenAPI document don't allow."""

from __future__ import annotations

from typing import Any

import orjson
import pytest

from chassis.messaging.admission import contents
from chassis.messaging.event import Event
from chassis.testkit import tokens
from chassis.testkit.conformance import breaches
from chassis.web.app import create_app

# What no schema can say: a code of the pack, a person, a moment that must lie ahead. By operation, the fields.
ONE_OF_THEM = {"", "points", "amount", "currency", "compensation"}
MEANINGS: dict[str, set[str]] = {
    "POST /api/v1/complaints": {"category", "channel", "received_at", "complainant", "anonymous"},
    "PATCH /api/v1/complaints/{id}": {"category"},
    "POST /api/v1/complaints/hand-over": {"to"},
    "POST /api/v1/complaints/{id}/assign": {"handler"},
    "POST /api/v1/complaints/{id}/triage": {"category"},
    "POST /api/v1/complaints/{id}/promise": {"due_at"},
    "POST /api/v1/complaints/{id}/compensate": ONE_OF_THEM,
    "POST /api/v1/complaints/{id}/propose": {"compensation"},
    "GET /api/v1/complaints": {"order"},
    "GET /api/v1/calendar/working-time": {"from", "working_days", "working_hours", ""},
    "POST /api/v1/calendar/years": {"year", "holidays", "workdays", ""},
    "GET /api/v1/complaint-reports/weekly": {"week"},
    "GET /api/v1/complaint-reports/monthly": {"month"},
    "GET /api/v1/complaint-kpis": {"from", "to"},
}


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


def meaning(operation: str, problem: dict[str, Any]) -> bool:
    named = {path.partition(".")[0] for path in problem.get("errors", ())}
    return problem.get("status") == 422 and bool(named) and named <= MEANINGS.get(operation, set())


@pytest.mark.timeout(300)
def test_no_answer_departs_from_the_document(house: Any, given_complaint: Any) -> None:
    given_complaint(level=2).contacted()
    given_complaint().closed()

    found = breaches(
        create_app(house.runtime), tokens.bearer(), max_examples=2, excused=meaning, without="^/api/v1/services/"
    )

    assert not found, "\n\n".join(found)
