"""What we owe, and the proof that the books are right."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis.timing.due import DuePoller
from loyalty.reporting import api as reporting_api
from loyalty.reporting import reconciliation


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

    assert (report["points_outstanding"], report["money"], report["currency"]) == (1750, "17.50", "CNY")
    assert [(row["tier"], row["members"], row["points"], row["money"]) for row in report["by_tier"]] == [
        ("ordinary", 1, 250, "2.50"),
        ("gold", 1, 1500, "15.00"),
        ("platinum", 0, 0, "0.00"),
        ("diamond", 0, 0, "0.00"),
    ]
    assert report["by_campaign"] == [{"campaign": "base", "points": 1750, "money": "17.50"}]
    assert report["expiring"] == [{"month": "2027-12", "points": 1750, "money": "17.50"}]


@pytest.mark.rule("CG-22")
def test_a_deficit_lessens_what_is_owed(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.enrol("card:2")
    programme.buys("100.00", "P1", at=programme.clock.now() - timedelta(days=10))
    programme.buys("50.00", "P2", by="card:2")
    hold = api.post("holds", {"customer_id": customer, "points": 80}).get_json()["id"]
    api.post(f"holds/{hold}/capture")
    programme.refunds("P1", "100.00")

    report = api.get("loyalty-reports/liability").get_json()

    assert (report["points_outstanding"], report["deficit"], report["money"]) == (-30, 80, "-0.30")
    assert report["expiring"] == [{"month": "2027-12", "points": 50, "money": "0.50"}]


def test_a_cooked_balance_is_found(programme: Any, api: Any) -> None:
    programme.enrol("card:1")
    programme.buys("10.00")
    assert api.post("reconciliations").get_json() == {"accounts": 1, "entries": 4, "mismatches": 0, "details": []}

    with programme.runtime.sessions.begin() as session:
        session.execute(text("UPDATE member SET pending = pending + 1"))

    found = api.post("reconciliations").get_json()
    assert found["mismatches"] == 1
    assert set(found["details"][0]["wrong"]) == {"pending", "sum"}


def test_a_cooked_lot_is_found(programme: Any, api: Any) -> None:
    programme.enrol("card:1")
    programme.buys("10.00", "P1")
    programme.buys("20.00", "P2")

    with programme.runtime.sessions.begin() as session:  # the sums stay right
        session.execute(text("UPDATE lot SET remaining = CASE points WHEN 10 THEN 11 ELSE 19 END"))

    (found,) = api.post("reconciliations").get_json()["details"]
    assert found["wrong"] == {"lots": [2]}


def test_many_accounts_are_reconciled_by_a_job(programme: Any, api: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reconciliation, "STEP", 2)
    monkeypatch.setattr(reporting_api, "AT_ONCE", 4)
    for card in range(5):
        programme.enrol(f"card:{card}")
        programme.buys("10.00", by=f"card:{card}")

    begun = api.post("reconciliations")
    DuePoller(programme.runtime).drain()

    assert begun.status_code == 202
    job = f"services/loyalty/jobs/{begun.get_json()['id']}"
    assert (api.get(job).get_json()["status"], api.get(job).get_json()["done"]) == ("done", 5)
    assert api.get(f"{job}/result").get_json()["result"] == {
        "accounts": 5, "entries": 20, "mismatches": 0, "details": [],
    }  # fmt: skip


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


@pytest.mark.rule("CG-22")
def test_what_moved_adds_up_month_by_month(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.clock.travel_to(datetime(2026, 9, 15, 2, tzinfo=UTC))
    programme.buys("300.00", "P1", at=programme.clock.now() - timedelta(days=10))
    programme.clock.travel_to(datetime(2026, 10, 31, 15, 59, tzinfo=UTC))  # still October in Shanghai
    hold = api.post("holds", {"customer_id": customer, "points": 80}).get_json()["id"]
    api.post(f"holds/{hold}/capture")
    programme.clock.travel_to(datetime(2026, 10, 31, 16, 1, tzinfo=UTC))  # November
    programme.refunds("P1", "100.00")
    programme.buys("20.00", "P2")

    report = api.get("loyalty-reports/movements", **{"from": "2026-10-01", "to": "2026-11-30"}).get_json()

    assert [
        (row["month"], row["opening"], row["issued"], row["reversed"], row["redeemed"], row["closing"])
        for row in report["months"]
    ] == [("2026-10", 300, 0, 0, 80, 220), ("2026-11", 220, -80, 100, 0, 140)]
    assert (report["opening"], report["issued"], report["redeemed"], report["closing"]) == (300, -80, 80, 140)
    assert (report["held_by_members"], report["agrees"]) == (140, True)


def test_a_span_that_is_over_is_checked_as_it_closed(programme: Any, api: Any) -> None:
    programme.clock.travel_to(datetime(2026, 10, 10, 2, tzinfo=UTC))
    programme.enrol("card:1")
    programme.buys("100.00", "P1")
    programme.clock.travel_to(datetime(2026, 11, 10, 2, tzinfo=UTC))
    programme.buys("7.00", "P2")
    october = {"from": "2026-10-01", "to": "2026-10-31"}
    assert api.get("loyalty-reports/movements", **october).get_json()["agrees"]

    with programme.runtime.sessions.begin() as session:
        session.execute(text("UPDATE member SET pending = pending + 1"))

    report = api.get("loyalty-reports/movements", **october).get_json()
    assert (report["closing"], report["held_by_members"], report["agrees"]) == (100, 101, False)


def test_a_span_that_ends_before_it_begins_is_refused(api: Any) -> None:
    refused = api.get("loyalty-reports/movements", **{"from": "2026-11-02", "to": "2026-11-01"})

    assert (refused.status_code, list(refused.get_json()["errors"])) == (422, ["from"])


@pytest.mark.rule("CG-22")
def test_breakage_is_expected_as_past_lots_broke(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=programme.clock.now() - timedelta(days=10))
    hold = api.post("holds", {"customer_id": customer, "points": 25}).get_json()["id"]
    api.post(f"holds/{hold}/capture")
    untried = api.get("loyalty-reports/liability").get_json()
    programme.clock.travel_to(datetime(2028, 1, 2, tzinfo=UTC))
    programme.run("expire-lots")
    programme.buys("1000.00", "P2", at=programme.clock.now() - timedelta(hours=1))

    report = api.get("loyalty-reports/liability").get_json()

    assert (untried["expected_breakage"]["rate"], untried["expected_breakage"]["money"]) == (None, None)
    assert untried["redemption_rate"] == {"rate": "0.25", "redeemed": 25, "issued": 100, "days": 365}
    found = report["expected_breakage"]
    assert (found["rate"], found["expired"], found["redeemed"]) == ("0.75", 75, 25)
    assert (found["points"], found["money"], report["points_outstanding"]) == (750, "7.50", 1000)
