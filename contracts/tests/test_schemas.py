"""The schema files keep the house rules: few keywords, everything described, every pattern anchored."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest

from kezhi_contracts import schemas

KEYWORDS = {
    "$ref", "additionalProperties", "anyOf", "const", "description", "enum", "format", "items", "maxItems",
    "maxLength", "maximum", "minItems", "minLength", "minimum", "pattern", "properties", "required", "type",
}  # fmt: skip
TOP = KEYWORDS | {"$schema", "title", "examples"}
STATE = {"staff.changed.v1", "unit.changed.v1", "tier.changed.v1"}
TYPES = schemas.types()


def _nodes(node: dict[str, Any], path: str = "") -> Iterator[tuple[str, dict[str, Any]]]:
    yield path, node
    for name, inner in node.get("properties", {}).items():
        yield from _nodes(inner, f"{path}.{name}")
    for keyword in ("items", "additionalProperties"):
        if keyword in node:
            yield from _nodes(node[keyword], f"{path}[{keyword}]")


def _written(type_: str) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((schemas.folder() / f"{type_}.json").read_text(encoding="utf-8"))
    return document


@pytest.mark.parametrize("type_", TYPES)
def test_a_schema_uses_only_the_closed_set_of_keywords(type_: str) -> None:
    jsonschema.Draft202012Validator.check_schema(schemas.document(type_))
    for path, node in _nodes(_written(type_)):
        assert node.keys() <= (KEYWORDS if path else TOP), path
        if "$ref" in node:
            assert node.keys() <= {"$ref", "description"}, f"{path}: what stands beside a reference is lost"
        for choice in node.get("anyOf", ()):
            assert choice.keys() == {"required"}, path


@pytest.mark.parametrize("type_", TYPES)
def test_every_field_is_described_and_typed(type_: str) -> None:
    for path, node in _nodes(schemas.document(type_)):
        kinds = node["type"] if isinstance(node["type"], list) else [node["type"]]
        assert len([kind for kind in kinds if kind != "null"]) == 1, path
        assert node.get("description") or path.endswith("]"), f"{path} says nothing of itself"
        assert set(node.get("required", ())) <= node.get("properties", {}).keys(), path


@pytest.mark.parametrize("type_", TYPES)
def test_every_pattern_is_anchored_as_a_whole(type_: str) -> None:
    for path, node in _nodes(schemas.document(type_)):
        pattern = node.get("pattern", "^$")
        assert pattern.startswith("^") and pattern.endswith("$") and not pattern.endswith("\\$"), path  # noqa: PT018
        outside = "".join(char for depth, char in _depths(pattern) if depth == 0)
        assert "|" not in outside, f"{path}: an alternative outside of brackets escapes the anchors"


def _depths(pattern: str) -> Iterator[tuple[int, str]]:
    depth = 0
    for char in pattern:
        depth -= char == ")"
        yield depth, char
        depth += char == "("


@pytest.mark.parametrize("type_", TYPES)
def test_a_resolved_document_needs_no_other_file(type_: str) -> None:
    assert '"$ref"' not in json.dumps(schemas.document(type_))
    assert schemas.document(type_)["properties"]["type"]["const"] == type_


def test_state_events_carry_their_version() -> None:
    with_version = {type_ for type_ in TYPES if "sequence" in schemas.document(type_)["required"]}
    assert with_version == {type_ for type_ in TYPES if type_.startswith("customer.")} | STATE


def test_every_customer_event_carries_the_same_full_state() -> None:
    full = schemas.document("customer.registered.v1")["properties"]["data"]["properties"].keys() - {
        "origin",
        "by",
    }
    assert {
        "identities",
        "grade",
        "classes",
        "standing",
        "status",
        "unit",
        "phones",
        "consents",
        "birthday",
    } <= full
    for type_ in TYPES:
        if type_.startswith("customer."):
            assert full <= schemas.document(type_)["properties"]["data"]["properties"].keys(), type_


def test_events_of_a_case_say_whom_to_hide_it_from() -> None:
    for type_ in TYPES:
        if type_.startswith(("complaint.", "workorder.", "accountability.", "notification.")):
            assert "hidden_from" in schemas.document(type_)["properties"]["data"]["required"], type_


def test_an_unknown_type_is_refused_by_name() -> None:
    with pytest.raises(schemas.UnknownType, match=r"unknown event version: purchase\.completed\.v2"):
        schemas.document("purchase.completed.v2")


def test_the_shared_pieces_are_all_used() -> None:
    texts = "".join((schemas.folder() / f"{type_}.json").read_text(encoding="utf-8") for type_ in TYPES)
    assert [name for name in schemas.pieces() if f'#/$defs/{name}"' not in texts] == []
