"""The source of spoilt bodies keeps its word: each is wrong in the way it says, and seeds repeat."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from kezhi_contracts import validation
from tests.faults import malformed

Reason = malformed.Reason
ATTRIBUTES = {"", "specversion", "id", "source", "type", "subject", "time", "data"}


def _verdict(message: malformed.Malformed) -> malformed.Reason | None:
    """What the contract itself says of a message, class by class from the outside in; None when it is right."""
    if message.content_type != malformed.CONTENT_TYPE:
        return Reason.CONTENT_TYPE
    if len(message.body) > malformed.SIZE_LIMIT:
        return Reason.TOO_LARGE
    try:
        return _verdict_on(validation.parse(message.body))
    except validation.Unreadable:
        return Reason.UNREADABLE


def _verdict_on(event: Any) -> malformed.Reason | None:
    wrong = validation.against_schema(event)
    if any("unknown event version" in said for said in wrong.get("type", ())):
        return Reason.UNKNOWN_VERSION
    if wrong:
        return Reason.NOT_AN_EVENT if wrong.keys() & ATTRIBUTES else Reason.SCHEMA
    if validation.validate(event):
        return Reason.SUM
    occurred_at = datetime.fromisoformat(event["data"]["occurred_at"])
    now = datetime.now(UTC)
    return None if now - timedelta(days=731) < occurred_at < now + timedelta(minutes=5) else Reason.WINDOW


def test_every_body_is_wrong_in_the_way_it_says() -> None:
    disagreed: Counter[tuple[str, str, str | None]] = Counter()
    for message in malformed.malformed(3_000):
        # A type that is spoilt into an unknown text is both no event and an unknown version.
        verdict = _verdict(message)
        if verdict != message.reason and not (message.how == "wrong attribute" and verdict == Reason.UNKNOWN_VERSION):
            disagreed[message.how, message.reason, verdict] += 1
    assert not disagreed


def test_the_same_seed_yields_the_same_bodies() -> None:
    assert list(malformed.malformed(200, seed=7)) == list(malformed.malformed(200, seed=7))
    assert [m.body for m in malformed.malformed(200, seed=7)] != [m.body for m in malformed.malformed(200, seed=8)]


@pytest.mark.parametrize("event", list(malformed.right(3)))
def test_the_right_ones_mixed_in_are_right(event: dict[str, object]) -> None:
    assert validation.validate(event) == {}
