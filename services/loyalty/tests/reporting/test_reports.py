"""What we owe, and the proof that the books are right."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError


@pytest.mark.rule("CG-22")
def test_the_liability_is_what_members_hold_at_cost(programme: Any, api: Any) -> None:
    programme.enrol("card:1")
    programme.enrol("card:2")
    programme.tell(
        "purchases",
        programme.purchase("1500.00", "P1", at=programme.clock.now() - timedelta(days=10)),
        programme.purchase("250.00", "P2", by="card:2"),
    )

    report = api.get("loyalty-reports/liability").get_json()

    assert report["points_outstanding"] == 1750
    assert report["money"] == {"amount": "17.50", "currency": "CNY"}
    assert {row["tier"]: row["points"] for row in report["by_tier"]} == {"gold": 1500, "ordinary": 250}
    assert report["by_campaign"] == [
        {"campaign": "base", "points": 1750, "money": {"amount": "17.50", "currency": "CNY"}}
    ]
    assert [(row["month"], row["points"]) for row in report["expiring"]] == [("2027-12", 1750)]


def test_a_cooked_balance_is_found(programme: Any, api: Any) -> None:
    programme.enrol("card:1")
    programme.buys("10.00")
    assert api.post("reconciliations").get_json() == {"accounts": 1, "entries": 4, "mismatches": 0, "details": []}

    with programme.runtime.sessions.begin() as session:
        session.execute(text("UPDATE member SET pending = pending + 1"))

    found = api.post("reconciliations").get_json()
    assert found["mismatches"] == 1
    assert list(found["details"][0]["wrong"]) == ["pending"]


@pytest.mark.parametrize("table", ["transaction", "lot_use", "business_key", "tier_change"])
@pytest.mark.parametrize("statement", ["UPDATE {} SET member_id = member_id", "DELETE FROM {}", "TRUNCATE {}"])
def test_the_database_refuses_to_change_what_was_posted(programme: Any, table: str, statement: str) -> None:
    programme.enrol("card:1")
    programme.buys("1500.00", "P1", at=programme.clock.now() - timedelta(days=10))
    programme.refunds("P1", "100.00")

    with (
        pytest.raises(DBAPIError, match=r"append-only|permission denied"),
        programme.runtime.sessions.begin() as session,
    ):
        session.execute(text(statement.format(table)))


def test_the_database_refuses_a_transaction_that_does_not_sum_to_zero(programme: Any) -> None:
    programme.enrol("card:1")
    programme.buys("10.00")

    with pytest.raises(DBAPIError, match="points_sum_to_0"), programme.runtime.sessions.begin() as session:
        session.execute(
            text(
                "INSERT INTO transaction (member_id, id, kind, business_key, occurred_at, effective_at, recorded_at,"
                " points_pending, points_issued) SELECT member_id, gen_random_uuid(), kind, 'x', occurred_at,"
                " effective_at, recorded_at, 5, -4 FROM transaction LIMIT 1"
            )
        )
