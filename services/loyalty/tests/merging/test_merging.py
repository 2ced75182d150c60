"""Two members become one: what they had, and what comes later for either."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy.exc import DBAPIError

from chassis.messaging.testing import deliver


@pytest.fixture
def two(programme: Any, registry: Any) -> tuple[str, str]:
    """Wang with 100 points, and Zhang with 40 to spend and 7 to come."""
    wang, zhang = registry.registers("card:1"), registry.registers("card:2")
    long_ago = programme.clock.now() - timedelta(days=10)
    programme.tell(
        "purchases",
        programme.purchase("100.00", "W1", at=long_ago),
        programme.purchase("40.00", "Z1", by="card:2", at=long_ago - timedelta(days=1)),
        programme.purchase("7.00", "Z2", by="card:2"),
    )
    return wang, zhang


@pytest.mark.rule("CG-23")
def test_what_both_had_is_the_survivors(programme: Any, registry: Any, two: Any, api: Any, in_balance: Any) -> None:
    wang, zhang = two

    registry.merge(wang, zhang)

    assert programme.purse(wang) == {
        "pending": 7, "available": 140, "held": 0, "blocked": 0, "deficit": 0, "growth": 147,
    }  # fmt: skip
    assert set(programme.purse(zhang).values()) == {0}
    assert [api.get(f"members/{one}").get_json()["merged_into"] for one in two] == [None, wang]
    in_balance()


@pytest.mark.rule("CG-22")
def test_lots_keep_origin_cost_and_dates(programme: Any, registry: Any, two: Any) -> None:
    wang, zhang = two
    asked = "SELECT id, transaction_id, unit_cost, earned_at, available_at, expires_at FROM lot WHERE member_id = :id"
    before = {tuple(lot.values()) for lot in programme.rows(asked, id=zhang)}

    registry.merge(wang, zhang)

    assert before < {tuple(lot.values()) for lot in programme.rows(asked, id=wang)}


def test_the_programme_as_a_whole_neither_gains_nor_loses(programme: Any, registry: Any, two: Any, api: Any) -> None:
    before = api.get("loyalty-reports/liability").get_json()

    registry.merge(*two)

    after = api.get("loyalty-reports/liability").get_json()
    assert (after["money"], after["expiring"]) == (before["money"], before["expiring"])
    assert [row["members"] for row in after["by_tier"]] == [1, 0, 0, 0]
    month = api.get("loyalty-reports/movements", **{"from": "2026-11-01", "to": "2026-11-30"}).get_json()
    assert (month["adjusted"], month["agrees"]) == (0, True)


def test_the_absorbed_is_a_member_no_more_and_still_found(registry: Any, two: Any, api: Any) -> None:
    wang, zhang = two
    registry.merge(wang, zhang)

    assert [row["customer_id"] for row in api.get("members").get_json()["items"]] == [wang]
    assert api.get(f"members/{zhang}").get_json()["merged_into"] == wang
    assert api.get(f"members/{zhang}/entries").get_json()["items"][0]["kind"] == "merge"


def test_the_same_merge_under_another_event_id_has_no_effect(programme: Any, registry: Any, two: Any) -> None:
    _, event = registry.merged(*two)

    programme.tell("customers", event)
    programme.tell("customers", {**event, "id": "again"})

    assert programme.purse(two[0])["available"] == 140


@pytest.mark.rule("CG-23")
def test_whatever_comes_later_for_the_absorbed_is_the_survivors(programme: Any, registry: Any, two: Any) -> None:
    wang, zhang = two
    registry.merge(wang, zhang)
    registry.updates(wang)  # the registry's next word on the survivor names no absorbed id

    programme.buys("10.00", by="card:2")
    programme.buys("5.00", by=zhang)

    assert (programme.purse(wang)["pending"], programme.purse(zhang)["pending"]) == (22, 0)


def test_a_purchase_that_waited_for_the_absorbed_id_finds_the_survivor(programme: Any, registry: Any) -> None:
    wang, nobody = registry.registers("card:1"), str(uuid.uuid4())
    registry.cards[nobody] = []
    programme.buys("30.00", by=nobody)

    registry.merge(wang, nobody)

    assert programme.purse(wang)["pending"] == 30


def test_a_late_word_on_the_absorbed_customer_changes_nothing(programme: Any, registry: Any, two: Any) -> None:
    wang, zhang = two
    late = programme.customer_event("updated", zhang, identities=[{"scheme": "card", "value": "2"}])
    registry.merge(wang, zhang)

    programme.tell("customers", late)
    programme.buys("10.00", by="card:2")

    assert programme.purse(wang)["pending"] == 17


@pytest.mark.rule("CG-22")
def test_a_refund_of_the_absorbed_members_purchase_takes_its_own_lot(
    programme: Any, registry: Any, two: Any, in_balance: Any
) -> None:
    wang, zhang = two
    programme.refunds("Z1", "10.00")
    registry.merge(wang, zhang)

    programme.refunds("Z1", "30.00")

    (lot,) = programme.rows("SELECT remaining FROM lot WHERE member_id = :id AND points = 30", id=wang)
    assert lot["remaining"] == 0
    assert (programme.purse(wang)["available"], programme.purse(wang)["growth"]) == (100, 107)
    assert programme.tell("purchases", programme.refund("Z1", "0.01"))[0] != "accepted"
    in_balance()


def test_an_open_hold_goes_along_and_is_captured(
    programme: Any, registry: Any, two: Any, api: Any, in_balance: Any
) -> None:
    wang, zhang = two
    hold = api.post("holds", {"customer_id": zhang, "points": 25}).get_json()["id"]

    registry.merge(wang, zhang)
    assert (programme.purse(wang)["held"], programme.purse(zhang)["held"]) == (25, 0)
    in_balance()
    captured = api.post(f"holds/{hold}/capture")

    assert (captured.status_code, captured.get_json()["customer_id"]) == (200, wang)
    assert programme.purse(wang)["available"] == 115
    in_balance()


@pytest.mark.rule("CG-22")
def test_a_debt_is_paid_by_what_the_other_had(
    programme: Any, registry: Any, two: Any, api: Any, in_balance: Any
) -> None:
    wang, zhang = two
    hold = api.post("holds", {"customer_id": zhang, "points": 40}).get_json()["id"]
    api.post(f"holds/{hold}/capture")
    programme.refunds("Z1", "40.00")
    assert (programme.purse(zhang)["deficit"], programme.purse(zhang)["pending"]) == (40, 7)

    registry.merge(wang, zhang)

    assert (programme.purse(wang)["available"], programme.purse(wang)["deficit"]) == (60, 0)
    in_balance()


@pytest.mark.rule("CG-23")
def test_the_growth_of_both_reaches_the_tier(programme: Any, registry: Any, recorded: Any) -> None:
    wang, zhang = registry.registers("card:1"), registry.registers("card:2")
    programme.buys("600.00", at=programme.clock.now() - timedelta(days=300))
    programme.buys("500.00", by="card:2", at=programme.clock.now() - timedelta(days=200))

    registry.merge(wang, zhang)

    (member,) = programme.rows("SELECT tier, growth FROM member WHERE customer_id = :id", id=wang)
    assert tuple(member.values()) == ("gold", 1100)
    event = recorded(programme.runtime, "tier.changed.v1")[-1]
    assert (event.data["customer_id"], event.data["cause"]) == (wang, "merge")


def test_the_better_tier_stays_as_long_as_it_is_kept(programme: Any, registry: Any) -> None:
    wang, zhang = registry.registers("card:1"), registry.registers("card:2")
    programme.buys("5000.00", by="card:2", at=programme.clock.now() - timedelta(days=300))
    (before,) = programme.rows("SELECT tier, tier_kept_until FROM member WHERE customer_id = :id", id=zhang)

    registry.merge(wang, zhang)

    (member,) = programme.rows("SELECT tier, tier_kept_until FROM member WHERE customer_id = :id", id=wang)
    assert member["tier"] == before["tier"] == "platinum"


def test_who_became_part_of_the_absorbed_leads_to_the_survivor(programme: Any, registry: Any, in_balance: Any) -> None:
    li, wang, zhang = (registry.registers(f"card:{card}") for card in (1, 2, 3))
    programme.buys("10.00", "Z1", by="card:3")
    registry.merge(wang, zhang)

    registry.merge(li, wang)
    programme.buys("5.00", by=zhang)
    programme.refunds("Z1", "4.00")

    assert programme.purse(li)["pending"] == 11
    in_balance()


def test_what_was_kept_back_for_the_absorbed_is_cleared_with_a_survivor_in_good_standing(
    programme: Any, registry: Any, in_balance: Any
) -> None:
    flagged = [{"code": "frequent", "since": "2026-11-01T00:00:00Z"}]
    wang, zhang = registry.registers("card:1"), registry.registers("card:2", flags=flagged)
    programme.buys("10.00", by="card:2")
    assert programme.purse(zhang)["blocked"] == 10

    registry.merge(wang, zhang)

    assert (programme.purse(wang)["blocked"], programme.purse(wang)["pending"]) == (0, 10)
    in_balance()


def test_a_purchase_that_was_just_being_valued_is_never_lost(programme: Any, registry: Any, in_balance: Any) -> None:
    """Many purchases by the absorbed card race with the merge; those that met it half-way come again."""
    wang, zhang = registry.registers("card:1"), registry.registers("card:2")
    _, event = registry.merged(wang, zhang)
    purchases = [programme.purchase("1.00", f"R{number}", by="card:2") for number in range(24)]

    def tell(one: dict[str, Any]) -> None:
        subscription = "customers" if one is event else "purchases"
        for _ in range(20):  # the retry ladder
            with suppress(RuntimeError, DBAPIError):
                assert deliver(programme.runtime, subscription, [one]) == ["accepted"]
                return

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(tell, [*purchases[:8], event, *purchases[8:]]))

    assert (programme.purse(wang)["pending"], programme.purse(zhang)["pending"]) == (24, 0)
    in_balance()
