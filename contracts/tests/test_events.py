"""What the helpers build is what the schemas ask for."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from kezhi_contracts import events, validation

NOW = datetime(2026, 11, 21, 1, 30, tzinfo=UTC)


def test_a_purchase_sums_its_lines() -> None:
    lines = [events.line("W-500", 24, "48.00", name="纯净水 500ml"), events.line("W-019", "13", "208.00")]

    event = events.purchase(
        source="/pos/1", purchase_id="P-1", occurred_at=NOW, identity="card:8801", lines=lines, store="SH001"
    )

    assert validation.validate(event) == {}
    assert event["data"]["total"] == "256.00"
    assert (event["id"], event["subject"], event["data"]["customer"]) == (
        "P-1",
        "card:8801",
        {"identity": "card:8801"},
    )


def test_an_anonymous_sale_names_no_customer() -> None:
    event = events.purchase(source="/pos/1", purchase_id="P-2", occurred_at=NOW, total="12.50")

    assert validation.validate(event) == {}
    assert "customer" not in event["data"]


def test_a_refund_and_a_milestone_are_right() -> None:
    refund = events.refund(source="/pos/1", refund_id="R-1", purchase_id="P-1", occurred_at=NOW, total="24.00")
    reached = events.milestone(source="/hotel/1", event_id="c-1", milestone="check_in", at=NOW, identity="card:8801")

    assert validation.validate(refund) == {}
    assert validation.validate(reached) == {}


def test_a_naive_time_is_refused() -> None:
    with pytest.raises(ValueError, match="offset"):
        events.instant(datetime(2026, 11, 21, 9, 30))  # noqa: DTZ001
