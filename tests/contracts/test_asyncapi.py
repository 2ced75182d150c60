"""The AsyncAPI document names every event, leads nowhere missing, and has one publisher per event."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from kezhi_contracts import schemas

FILE = Path(__file__).parents[2] / "contracts" / "asyncapi.yaml"
SERVICES = ("customer", "complaint", "loyalty", "notify", "gateway")
REFERENCE = {
    "type": "object",
    "properties": {"$ref": {"type": "string"}},
    "required": ["$ref"],
    "maxProperties": 1,
}
# The part of AsyncAPI 3.0's meta-schema that this document uses; unknown keys are errors, as there.
META: dict[str, Any] = {
    "type": "object",
    "required": ["asyncapi", "info", "servers", "channels", "operations", "components"],
    "additionalProperties": False,
    "properties": {
        "asyncapi": {"const": "3.0.0"},
        "info": {"type": "object", "required": ["title", "version"]},
        "defaultContentType": {"type": "string"},
        "servers": {"additionalProperties": {"type": "object", "required": ["host", "protocol"]}},
        "channels": {
            "additionalProperties": {
                "type": "object",
                "additionalProperties": False,
                "properties": {
                    "address": {"type": "string"},
                    "title": {"type": "string"},
                    "description": {"type": "string"},
                    "servers": {"type": "array", "items": REFERENCE},
                    "messages": {"type": "object", "additionalProperties": REFERENCE},
                    "bindings": {"type": "object"},
                },
            }
        },
        "operations": {
            "additionalProperties": {
                "type": "object",
                "required": ["action", "channel"],
                "additionalProperties": False,
                "properties": {
                    "action": {"enum": ["send", "receive"]},
                    "channel": REFERENCE,
                    "title": {"type": "string"},
                    "description": {"type": "string"},
                    "tags": {"type": "array", "items": {"type": "object", "required": ["name"]}},
                    "bindings": {"type": "object"},
                    "messages": {"type": "array", "items": REFERENCE},
                },
            }
        },
        "components": {
            "type": "object",
            "additionalProperties": False,
            "properties": {
                "securitySchemes": {"type": "object"},
                "messageTraits": {"type": "object"},
                "messages": {
                    "patternProperties": {
                        r"^[\w\d.\-_]+$": {
                            "type": "object",
                            "required": ["name", "title", "payload"],
                            "properties": {
                                "payload": {"type": "object", "required": ["schemaFormat", "schema"]},
                                "traits": {"type": "array", "items": REFERENCE},
                            },
                        }
                    },
                    "additionalProperties": False,
                },
            },
        },
    },
}


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    loaded: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))
    return loaded


def _references(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        if isinstance(node.get("$ref"), str):
            yield node["$ref"]
        for inner in node.values():
            yield from _references(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from _references(inner)


def _sent(document: dict[str, Any], operation: str) -> set[str]:
    return {one["$ref"].rsplit("/", 1)[1] for one in document["operations"][operation]["messages"]}


def test_it_has_the_shape_of_asyncapi_3(document: dict[str, Any]) -> None:
    jsonschema.validate(document, META, jsonschema.Draft202012Validator)


def test_every_reference_leads_somewhere(document: dict[str, Any]) -> None:
    for reference in set(_references(document)):
        if reference.startswith("./"):
            assert (FILE.parent / reference).is_file(), reference
            continue
        place: Any = document
        for step in reference.removeprefix("#/").split("/"):
            place = place[step]


def test_it_names_every_event_with_its_own_schema(document: dict[str, Any]) -> None:
    messages = document["components"]["messages"]
    assert sorted(messages) == schemas.types()
    for type_, message in messages.items():
        assert message["name"] == type_
        assert message["title"] == schemas.document(type_)["title"]
        assert message["payload"]["schema"]["$ref"] == f"./events/{type_}.json"


def test_the_exchanges_are_those_of_the_contract(document: dict[str, Any]) -> None:
    addresses = {name: channel["address"] for name, channel in document["channels"].items()}
    assert addresses == {
        "purchases": "kezhi.purchases",
        "events": "kezhi.events",
        "unrouted": "kezhi.unrouted",
    }
    inbound = {"purchase.completed.v1", "purchase.refunded.v1", "milestone.reached.v1"}
    assert document["channels"]["purchases"]["messages"].keys() == inbound
    assert document["channels"]["events"]["messages"].keys() == set(schemas.types()) - inbound


def test_an_operation_speaks_of_messages_of_its_own_channel(document: dict[str, Any]) -> None:
    for name, operation in document["operations"].items():
        for message in operation["messages"]:
            assert message["$ref"].startswith(f"{operation['channel']['$ref']}/messages/"), name


def test_every_published_event_has_one_publisher(document: dict[str, Any]) -> None:
    publishers = Counter(type_ for service in SERVICES for type_ in _sent(document, f"{service}.send"))
    assert publishers.pop("policy.activated.v1") == len(SERVICES)
    assert publishers == dict.fromkeys(document["channels"]["events"]["messages"].keys() - {"policy.activated.v1"}, 1)


def test_the_publisher_is_the_source_of_the_example(document: dict[str, Any]) -> None:
    for service in SERVICES:
        for type_ in _sent(document, f"{service}.send") - {"policy.activated.v1"}:
            assert schemas.example(type_)["source"] == f"/kezhi/{service}", type_
