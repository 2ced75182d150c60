"""marshmallow and JSON Schema say the same of thousands of spoilt events; marshmallow in sentences."""

from __future__ import annotations

import re
from collections.abc import Iterator
from copy import deepcopy
from datetime import date, datetime
from functools import cache
from typing import Any

import jsonschema
import jsonschema_rs
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from kezhi_contracts import schemas, validation

TYPES = schemas.types()
FORMATS = jsonschema.FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def _names_an_instant(value: object) -> bool:
    return not isinstance(value, str) or bool(datetime.fromisoformat(value))


@FORMATS.checks("date", raises=ValueError)
def _names_a_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


def _as_ecma_reads_it(_: Any, pattern: str, value: Any, __: Any) -> Iterator[jsonschema.ValidationError]:
    """Patterns are ECMA's, whose ``$`` is the very end; Python's also stands before a final newline."""
    if isinstance(value, str) and not re.search(pattern.removesuffix("$") + r"\Z", value):
        yield jsonschema.ValidationError(f"{value!r} does not match {pattern!r}")


Oracle = jsonschema.validators.extend(jsonschema.Draft202012Validator, {"pattern": _as_ecma_reads_it})


@cache
def _oracles(type_: str) -> tuple[Any, Any]:
    document = schemas.document(type_)
    return Oracle(document, format_checker=FORMATS), jsonschema_rs.validator_for(document, validate_formats=True)


JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(2**70), 2**70),
    st.sampled_from([0, -1, 1.0, 1.5, 6, 1e300, [], {}, [[]], [{}], {"identity": "card:1"}, {"value": "x"}]),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=20),
    st.sampled_from(
        [
            "", "1", "-1", "01", "1.", "1e3", "256.00\n", "١", "\x00", "a\x00", "x" * 600, "unit", "gold",
            "CNY", "cny", "card:1", "card:", "Card:1", "2026-02-30", "2026-11-21", "0001-01-01",
            "2026-11-21T09:30:00", "2026-11-21T09:30:00Z", "2026-11-21t09:30:00z", "2026-02-29T00:00:00Z",
            "2026-11-21T24:00:00Z",
            "2026-11-21T23:59:60Z", "2026-11-21T09:30:00+08:00\n", "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001",
            "019AA3C2-7B10-7C4E-9D57-1F0A5BE3C001", "019aa3c27b107c4e9d571f0a5be3c001",
        ]
    ),
)  # fmt: skip


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Every (container, key) inside an event."""
    keys: list[Any] = list(value) if isinstance(value, dict) else list(range(len(value)))
    for key in keys:
        yield value, key
        if isinstance(value[key], dict | list):
            yield from _places(value[key])


@st.composite
def spoilt(draw: st.DrawFn) -> dict[str, Any]:
    """An example with one to three changes anywhere: replaced, removed, doubled, or with an unknown field."""
    event = deepcopy(schemas.example(draw(st.sampled_from(TYPES))))
    for _ in range(draw(st.integers(1, 3))):
        container, key = draw(st.sampled_from(list(_places(event))))
        if (container is event and key == "type") or (isinstance(container, list) and key >= len(container)):
            continue
        match draw(st.sampled_from(["replace", "replace", "replace", "remove", "unknown", "double"])):
            case "remove":
                del container[key]
            case "unknown" if isinstance(container, dict):
                container[draw(st.sampled_from(["x", "a.b", "load", "Meta", "data.id", ""]))] = deepcopy(draw(JUNK))
            case "double" if isinstance(container, list):
                container.append(deepcopy(container[key]))
            case _:
                container[key] = deepcopy(draw(JUNK))
    return event


@settings(max_examples=3_000, deadline=None, suppress_health_check=list(HealthCheck))
@given(spoilt())
def test_marshmallow_and_json_schema_agree(event: dict[str, Any]) -> None:
    reference, fast = _oracles(event["type"])
    errors = validation.against_schema(event)
    expected = list(reference.iter_errors(event))

    assert bool(errors) == bool(expected), (errors, [error.message for error in expected])
    assert fast.is_valid(event) == (not errors)


@pytest.mark.parametrize("type_", TYPES)
def test_every_example_is_right(type_: str) -> None:
    event = schemas.example(type_)
    reference, fast = _oracles(type_)
    assert validation.validate(event) == {}
    assert list(reference.iter_errors(event)) == []
    assert fast.is_valid(event)


def test_a_wrong_event_is_told_where_and_what() -> None:
    event = schemas.example("purchase.completed.v1")
    event["time"] = "2026-02-30T00:00:00Z"
    event["data"]["customer"] = {}
    event["data"]["lines"][1]["quantity"] = 13
    del event["data"]["purchase_id"]

    assert validation.validate(event) == {
        "time": ["names no instant: day is out of range for month"],
        "data.customer": ["needs identity or id"],
        "data.lines.1.quantity": ["must be a text"],
        "data.purchase_id": ["is missing"],
    }


def test_lines_must_add_up_to_the_total_within_a_cent() -> None:
    event = schemas.example("purchase.completed.v1")
    event["data"]["total"] = "256.01"
    assert validation.validate(event) == {}
    event["data"]["total"] = "256.02"
    assert validation.validate(event) == {"data.total": ["is 256.02, but the lines add up to 256.00"]}
    event["data"]["lines"] = []
    assert validation.validate(event) == {}


def test_an_unknown_version_is_an_error_of_its_type() -> None:
    event = schemas.example("purchase.completed.v1") | {"type": "purchase.completed.v2"}
    assert validation.validate(event) == {"type": ["unknown event version: purchase.completed.v2"]}


@pytest.mark.parametrize("event", [None, [], 7, "x", {}, {"type": 7}])
def test_what_is_no_event_is_told_so(event: Any) -> None:
    assert validation.validate(event)


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"NaN", b'{"a": Infinity}', b'"\\ud800"', b"[" * 200_000])
def test_an_unreadable_body_is_refused(body: bytes) -> None:
    with pytest.raises(validation.Unreadable):
        validation.parse(body)
