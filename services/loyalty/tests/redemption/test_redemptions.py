"""Points are exchanged for rewards: the price once, the reward once, whoever else asks at the same moment."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.timing.due import DuePoller
from loyalty.redemption.redeeming import Claim, redeem
from loyalty.redemption.use_cases import set_aside


@pytest.fixture
def claim(api: Any, member: str) -> Any:
    """``claim("TEA", quantity=2)``: the member asks for it."""

    def ask(reward: str, **more: Any) -> Any:
        return api.post("redemptions", {"customer_id": member, "reward": reward, **more})

    return ask


@pytest.mark.rule("CG-22")
def test_a_voucher_costs_its_price_soonest_expiry_first(
    api: Any, programme: Any, member: str, claim: Any, offer: Any, in_balance: Any
) -> None:
    offer("TEA", "voucher", points=60)

    made = claim("TEA", quantity=2)

    assert made.status_code == 201
    redeemed = made.get_json()
    assert (redeemed["points"], redeemed["amount"], redeemed["status"]) == (120, "1.20", "redeemed")
    assert (redeemed["clause"], len(redeemed["vouchers"])) == ("CG-22", 2)
    assert programme.purse(member)["available"] == 30
    lots = {lot["points"]: lot["remaining"] for lot in api.get(f"members/{member}/lots").get_json()["items"]}
    assert lots == {100: 0, 50: 30}
    in_balance()


@pytest.mark.rule("CG-22")
def test_what_was_issued_and_what_it_cost_is_said(
    programme: Any, member: str, claim: Any, offer: Any, recorded: Any
) -> None:
    offer("TEA", "voucher", points=60)
    redeemed = claim("TEA", quantity=2).get_json()

    (spent,) = recorded(programme.runtime, "points.redeemed.v1")
    issued = recorded(programme.runtime, "reward.issued.v1")

    assert (spent.data["points"], spent.data["reward"]) == (120, "TEA")
    assert spent.data["redemption_id"] == redeemed["id"]
    assert {one.data["voucher"] for one in issued} == {one["code"] for one in redeemed["vouchers"]}
    assert {(one.data["points"], one.data["redemption_id"]) for one in issued} == {(60, redeemed["id"])}


def test_three_gifts_are_issued_in_one_word(programme: Any, claim: Any, offer: Any, recorded: Any, member: str) -> None:
    offer("CUP", "gift", points=20, stock=5)
    claim("CUP", quantity=3)

    (issued,) = recorded(programme.runtime, "reward.issued.v1")

    assert (issued.data["kind"], issued.data["quantity"], issued.data["points"]) == ("gift", 3, 60)
    assert "voucher" not in issued.data


@pytest.mark.rule("CG-22")
def test_a_discount_is_worth_what_the_pack_says(claim: Any, offer: Any) -> None:
    reward = offer("TILL", "discount", points=10)
    assert reward["amount"] == "0.10"

    redeemed = claim("TILL", quantity=12, reference="SH001-4711").get_json()

    assert (redeemed["points"], redeemed["amount"], redeemed["currency"]) == (120, "1.20", "CNY")
    assert (redeemed["kind"], redeemed["reference"], redeemed["vouchers"]) == ("discount", "SH001-4711", [])


def test_what_costs_nothing_leaves_the_ledger_alone(
    programme: Any, claim: Any, offer: Any, recorded: Any, member: str
) -> None:
    offer("WELCOME", "benefit", points=0)

    redeemed = claim("WELCOME").get_json()

    assert (redeemed["points"], redeemed["transaction_id"]) == (0, None)
    assert programme.purse(member)["available"] == 150
    assert recorded(programme.runtime, "points.redeemed.v1") == []
    assert len(recorded(programme.runtime, "reward.issued.v1")) == 1


def test_the_statement_names_the_reward(api: Any, claim: Any, offer: Any, member: str) -> None:
    offer("TEA", points=60)
    claim("TEA")

    lines = api.get(f"members/{member}/entries").get_json()["items"]

    (line,) = [line for line in lines if line["kind"] == "redemption"]
    assert (line["points"], line["why"]["clause"]) == (-60, "CG-22")
    assert line["why"]["inputs"] == {"reward": "TEA", "quantity": 1}


def test_held_points_are_nobody_elses(api: Any, programme: Any, member: str, claim: Any, offer: Any) -> None:
    """A redemption that ignored holds would spend the same points twice."""
    offer("TEA", points=40)
    api.post("holds", {"customer_id": member, "points": 120})

    refused = claim("TEA")

    assert (refused.status_code, refused.get_json()["available"]) == (409, 30)
    assert (programme.purse(member)["held"], programme.purse(member)["available"]) == (120, 30)


def test_a_lot_that_expires_takes_nothing_of_a_later_one(
    programme: Any, member: str, claim: Any, offer: Any, in_balance: Any
) -> None:
    """60 of the older 100 are spent; what expires are the 40 that are left of them, not the 50 of the lot behind."""
    offer("TEA", points=60)
    claim("TEA")

    programme.clock.travel_to(datetime(2027, 1, 1, tzinfo=UTC))
    programme.run("expire-lots")

    assert programme.purse(member)["available"] == 50
    in_balance()


@pytest.mark.rule("CG-23")
def test_the_same_key_redeems_once_and_another_body_under_it_is_refused(
    api: Any, programme: Any, member: str, offer: Any
) -> None:
    offer("TEA", points=40)
    body = {"customer_id": member, "reward": "TEA"}

    first = api.post("redemptions", body, key="till-1")
    again = api.post("redemptions", body, key="till-1")
    other = api.post("redemptions", {**body, "quantity": 2}, key="till-1")

    assert (again.status_code, again.get_json()) == (201, first.get_json())
    assert other.status_code == 422
    assert programme.purse(member)["available"] == 110


def test_who_does_not_take_part_and_what_is_not_offered_is_not_found(api: Any, claim: Any, offer: Any) -> None:
    offer("TEA")

    stranger = api.post("redemptions", {"customer_id": str(uuid.uuid4()), "reward": "TEA"})
    unheard_of = claim("COFFEE")

    assert stranger.status_code == 404
    assert (unheard_of.status_code, list(unheard_of.get_json()["errors"])) == (422, ["reward"])


@pytest.mark.rule("AD-06", partly="redeeming; earnings of blocked members are proven with earning")
def test_a_blacklisted_member_redeems_nothing(programme: Any, member: str, claim: Any, offer: Any) -> None:
    offer("WELCOME", "benefit", points=0)
    standing = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}
    programme.tell("customers", programme.customer_event("updated", member, standing=standing))

    refused = claim("WELCOME")

    assert refused.status_code == 409
    assert "blacklisted" in refused.get_json()["detail"]


def test_a_hold_pays_the_price_and_gives_the_rest_back(
    api: Any, programme: Any, member: str, claim: Any, offer: Any, in_balance: Any, recorded: Any
) -> None:
    offer("TEA", points=60)
    hold = api.post("holds", {"customer_id": member, "points": 120}).get_json()["id"]

    redeemed = claim("TEA", hold_id=hold).get_json()

    assert (redeemed["hold_id"], redeemed["points"]) == (hold, 60)
    resolved = api.get(f"holds/{hold}").get_json()
    assert (resolved["status"], resolved["captured"], resolved["redemption_id"]) == ("captured", 60, redeemed["id"])
    assert (programme.purse(member)["held"], programme.purse(member)["available"]) == (0, 90)
    assert len(recorded(programme.runtime, "points.redeemed.v1")) == 1
    DuePoller(programme.runtime).drain()
    in_balance()


def test_a_hold_pays_only_what_it_covers_and_only_once(api: Any, member: str, claim: Any, offer: Any) -> None:
    offer("TEA", points=60)
    small = api.post("holds", {"customer_id": member, "points": 50}).get_json()["id"]
    spent = api.post("holds", {"customer_id": member, "points": 60}).get_json()["id"]
    api.post(f"holds/{spent}/capture")

    too_small, resolved, unknown = (claim("TEA", hold_id=id_) for id_ in (small, spent, str(uuid.uuid4())))

    assert (too_small.status_code, too_small.get_json()["price"]) == (409, 60)
    assert (resolved.status_code, resolved.get_json()["status_of_hold"]) == (409, "captured")
    assert unknown.status_code == 404


def test_nobody_pays_with_anothers_hold(api: Any, programme: Any, member: str, offer: Any) -> None:
    offer("TEA", points=60)
    other = programme.enrol("card:2")
    hold = api.post("holds", {"customer_id": member, "points": 60}).get_json()["id"]

    refused = api.post("redemptions", {"customer_id": other, "reward": "TEA", "hold_id": hold})

    assert refused.status_code == 404
    assert programme.purse(member)["held"] == 60


def test_a_capture_at_the_till_is_a_redemption_like_any_other(api: Any, member: str) -> None:
    hold = api.post("holds", {"customer_id": member, "points": 120, "reference": "SH001-4711"}).get_json()["id"]

    captured = api.post(f"holds/{hold}/capture", {"points": 70}).get_json()

    redeemed = api.get(f"redemptions/{captured['redemption_id']}").get_json()
    assert (redeemed["kind"], redeemed["reward"], redeemed["points"], redeemed["amount"]) == (
        "discount", None, 70, "0.70",
    )  # fmt: skip
    assert (redeemed["hold_id"], redeemed["reference"]) == (hold, "SH001-4711")


@pytest.mark.rule("CG-23")
def test_of_twenty_parallel_redemptions_of_the_whole_balance_exactly_one_wins(
    programme: Any, member: str, offer: Any, in_balance: Any, twenty_at_once: Any
) -> None:
    offer("ALL", "voucher", points=150)

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            redeem(context, Claim(uuid.UUID(member), "ALL", 1, None, None, f"till-{number}"))

    assert twenty_at_once(try_it) == ["refused"] * 19 + ["won"]
    assert programme.purse(member)["available"] == 0
    assert programme.rows("SELECT count(*) AS vouchers FROM voucher")[0]["vouchers"] == 1
    in_balance()


@pytest.mark.rule("CG-23")
def test_of_twenty_parallel_claims_on_one_hold_exactly_one_wins(
    programme: Any, member: str, offer: Any, in_balance: Any, twenty_at_once: Any
) -> None:
    offer("TEA", "voucher", points=10)
    with programme.runtime.context() as context:
        hold = set_aside(context, uuid.UUID(member), 100).id

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            redeem(context, Claim(uuid.UUID(member), "TEA", 1, hold, None, f"till-{number}"))

    assert twenty_at_once(try_it) == ["refused"] * 19 + ["won"]
    assert programme.purse(member)["available"] == 140
    in_balance()


@pytest.mark.rule("CG-22")
def test_of_twenty_members_who_claim_the_last_five_gifts_five_get_one(
    api: Any, programme: Any, offer: Any, in_balance: Any, twenty_at_once: Any
) -> None:
    reward = offer("CUP", "gift", points=50, stock=5)
    members = [programme.enrol(f"card:{number}") for number in range(20)]
    events = [
        programme.purchase("100.00", by=f"card:{number}", at=programme.clock.now() - timedelta(days=30))
        for number in range(20)
    ]
    programme.tell("purchases", *events)

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            redeem(context, Claim(uuid.UUID(members[number]), "CUP", 1, None, None, "till"))

    assert twenty_at_once(try_it) == ["refused"] * 15 + ["won"] * 5
    left = api.get(f"rewards/{reward['id']}").get_json()
    assert (left["left"], left["on_offer"]) == (0, False)
    assert sorted(programme.purse(member)["available"] for member in members) == [50] * 5 + [100] * 15
    in_balance()


def test_one_member_may_have_so_many_however_often_they_ask(
    programme: Any, member: str, offer: Any, twenty_at_once: Any
) -> None:
    offer("TEA", "voucher", points=1, per_member=3)

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            redeem(context, Claim(uuid.UUID(member), "TEA", 1, None, None, "till"))

    assert twenty_at_once(try_it) == ["refused"] * 17 + ["won"] * 3
