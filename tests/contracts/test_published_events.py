"""The names other people rely on: none is missing, none has crept in, every example is valid."""

from __future__ import annotations

import hashlib
import json

import jsonschema
import pytest

from kezhi_contracts import schemas, validation

FAMILIES = {
    "purchase": "completed refunded",
    "milestone": "reached",
    "customer": "registered updated merged unmerged identified classified graded blacklisted reinstated"
    " admitted flagged erased",
    "visit": "planned completed missed",
    "survey": "invited answered",
    "dealer": "alerted",
    "complaint": "received assigned contacted progressed due_soon breached escalated resolved reopened"
    " closed compensated",
    "suggestion": "adopted",
    "workorder": "dispatched completed",
    "accountability": "recorded",
    "shipment": "stop_requested",
    "link": "issued",
    "member": "enrolled",
    "points": "earned redeemed expiring expired adjusted reversed",
    "tier": "changed at_risk",
    "reward": "issued",
    "notification": "delivered failed",
    "staff": "changed",
    "unit": "changed",
    "policy": "activated",
}
NAMES = sorted(f"{family}.{event}.v1" for family, events in FAMILIES.items() for event in events.split())

# As the contract shows it to other systems, but for the second line that makes the sum.
PURCHASE = """
{"specversion":"1.0","type":"purchase.completed.v1","source":"/pos/shanghai-001","id":"20261121-000123",
 "time":"2026-11-21T09:30:00+08:00","subject":"card:8801","datacontenttype":"application/json",
 "data":{"purchase_id":"SH001-20261121-000123","customer":{"identity":"card:8801"},
  "occurred_at":"2026-11-21T09:29:58+08:00","store":"SH001","channel":"store","currency":"CNY","total":"256.00",
  "lines":[{"sku":"W-500","name":"纯净水 500ml","category":"water","quantity":"24","unit_price":"2.00",
            "amount":"48.00","batch":"B20261101"},
           {"sku":"W-019","quantity":"13","amount":"208.00"}],
  "seller":"dealer:D1-07","delivered_to":"310104","payment":"wechat"}}
"""
REQUIRED_OF_SENDERS = {
    "purchase.completed.v1": {"purchase_id", "occurred_at", "currency", "total"},
    "purchase.refunded.v1": {"refund_id", "purchase_id", "occurred_at", "total"},
    "milestone.reached.v1": {"customer", "milestone", "at"},
}


def test_names_and_versions_are_frozen() -> None:
    assert schemas.types() == NAMES


def test_the_list_of_names_itself_is_frozen() -> None:
    # A new event or version adds to the list and changes this line; nothing else may.
    assert hashlib.sha256("\n".join(NAMES).encode()).hexdigest()[:16] == "13ac41bddb94a9d5"


@pytest.mark.parametrize("type_", NAMES)
def test_the_example_of_every_event_is_valid(type_: str) -> None:
    jsonschema.validate(schemas.example(type_), schemas.document(type_), jsonschema.Draft202012Validator)
    assert validation.validate(schemas.example(type_)) == {}


def test_the_purchase_of_the_contract_is_valid() -> None:
    assert validation.validate(json.loads(PURCHASE)) == {}


@pytest.mark.parametrize(("type_", "fields"), REQUIRED_OF_SENDERS.items())
def test_nothing_more_is_asked_of_other_systems(type_: str, fields: set[str]) -> None:
    assert set(schemas.document(type_)["properties"]["data"]["required"]) == fields


@pytest.mark.parametrize("type_", NAMES)
def test_every_event_tells_its_customer_where_there_is_one(type_: str) -> None:
    about_others = {"staff.changed.v1", "unit.changed.v1", "policy.activated.v1", *REQUIRED_OF_SENDERS}
    assert ("customer_id" in schemas.document(type_)["properties"]["data"]["required"]) == (type_ not in about_others)


@pytest.mark.parametrize("type_", NAMES)
def test_unknown_fields_are_ignored(type_: str) -> None:
    event = schemas.example(type_) | {"later": {"than": "us"}}
    event["data"]["later"] = [1]
    assert validation.validate(event) == {}
