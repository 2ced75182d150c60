"""A cancelled redemption is as if it had not been: points in their lots, vouchers void, gifts back on the shelf."""

from __future__ import annotations

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.redemption.cancelling import cancel
from loyalty.redemption.tables import Redemption

AFTER_THE_FIRST_LOT = datetime(2027, 1, 5, 4, 0, tzinfo=UTC)


@pytest.fixture
def redeemed(api: Any, member: str, offer: Any) -> Any:
    """``redeemed("TEA", points=120)``: the member has it; answers the redemption."""

    def have(code: str, kind: str = "voucher", quantity: int = 1, **terms: Any) -> dict[str, Any]:
        offer(code, kind, **terms)
        made = api.post("redemptions", {"customer_id": member, "reward": code, "quantity": quantity})
        found: dict[str, Any] = made.get_json()
        return found

    return have


@pytest.fixture
def lots(api: Any, member: str) -> Any:
    """``lots()``: what remains of each lot and the last day of it, by the points it was."""

    def read() -> dict[int, tuple[int, str]]:
        items = api.get(f"members/{member}/lots").get_json()["items"]
        return {lot["points"]: (lot["remaining"], lot["expires_at"]) for lot in items}

    return read


def undo(api: Any, redemption: dict[str, Any], **more: Any) -> Any:
    return api.post(f"redemptions/{redemption['id']}/cancel", {"reason": "customer changed her mind"}, **more)


@pytest.mark.rule("CG-22")
def test_points_go_back_to_the_same_lots_with_their_old_expiry(
    api: Any, programme: Any, member: str, redeemed: Any, lots: Any, in_balance: Any, recorded: Any
) -> None:
    before = lots()
    redemption = redeemed("TEA", points=120)
    assert {points: remaining for points, (remaining, _) in lots().items()} == {100: 0, 50: 30}

    cancelled = undo(api, redemption).get_json()

    assert (cancelled["status"], cancelled["reason"]) == ("cancelled", "customer changed her mind")
    assert lots() == before
    assert programme.purse(member)["available"] == 150
    (event,) = recorded(programme.runtime, "points.reversed.v1")
    assert (event.data["kind"], event.data["points"]) == ("redemption_cancelled", 120)
    assert (event.data["redemption_id"], event.data["reverses"]) == (redemption["id"], redemption["transaction_id"])
    in_balance()


@pytest.mark.rule("CG-22")
def test_points_that_lapsed_meanwhile_live_on_for_the_grace_and_lapse_once_more(
    api: Any, programme: Any, member: str, redeemed: Any, lots: Any, in_balance: Any, recorded: Any
) -> None:
    programme.clock.travel_to(datetime(2026, 12, 20, tzinfo=UTC))
    redemption = redeemed("TEA", points=60)
    programme.clock.travel_to(AFTER_THE_FIRST_LOT)
    programme.run("expire-lots")
    assert programme.purse(member)["available"] == 50

    undo(api, redemption)

    assert lots()[100] == (60, "2027-02-04T16:00:00Z"), "30 days from 5 January, to the end of the day in Shanghai"
    assert programme.purse(member)["available"] == 110
    in_balance()
    programme.clock.travel_to(datetime(2027, 2, 4, 16, 0, tzinfo=UTC))
    programme.run("expire-lots")
    assert programme.purse(member)["available"] == 50, "the later lot keeps what it has"
    expired = recorded(programme.runtime, "points.expired.v1")
    assert [event.data["points"] for event in expired] == [40, 60]
    assert len({event.id for event in expired}) == 2
    in_balance()


def test_what_is_due_lapses_before_anything_comes_back(
    api: Any, programme: Any, member: str, redeemed: Any, lots: Any, in_balance: Any
) -> None:
    """The schedule is late: the 40 that nobody spent are over all the same, the 60 that come back are not."""
    programme.clock.travel_to(datetime(2026, 12, 20, tzinfo=UTC))
    redemption = redeemed("TEA", points=60)
    programme.clock.travel_to(AFTER_THE_FIRST_LOT)

    undo(api, redemption)

    assert lots()[100][0] == 60
    assert programme.purse(member)["available"] == 110
    in_balance()


@pytest.mark.parametrize("rules", [{"grace_after_cancelling: 30 days": "grace_after_cancelling: none"}])
def test_without_a_grace_they_lapse_as_they_come(
    api: Any, programme: Any, member: str, redeemed: Any, in_balance: Any, recorded: Any
) -> None:
    programme.clock.travel_to(datetime(2026, 12, 20, tzinfo=UTC))
    redemption = redeemed("TEA", points=60)
    programme.clock.travel_to(AFTER_THE_FIRST_LOT)

    undo(api, redemption)

    assert programme.purse(member)["available"] == 50
    assert [event.data["points"] for event in recorded(programme.runtime, "points.expired.v1")] == [40, 60]
    in_balance()


def test_a_debt_that_arose_meanwhile_is_paid_first(
    api: Any, programme: Any, member: str, redeemed: Any, in_balance: Any
) -> None:
    redemption = redeemed("TEA", points=150)
    programme.refunds("P1", "100.00")
    assert programme.purse(member)["deficit"] == 100

    undo(api, redemption)

    assert (programme.purse(member)["available"], programme.purse(member)["deficit"]) == (50, 0)
    in_balance()


def test_a_gift_can_be_had_again(api: Any, redeemed: Any) -> None:
    redemption = redeemed("CUP", "gift", quantity=2, points=20, stock=2)
    (sold_out,) = api.get("rewards").get_json()["items"]

    undo(api, redemption)

    (back,) = api.get("rewards").get_json()["items"]
    assert (sold_out["left"], back["left"], back["on_offer"]) == (0, 2, True)


def test_what_was_cancelled_does_not_count_against_the_member(api: Any, member: str, redeemed: Any) -> None:
    redemption = redeemed("CUP", "gift", points=20, stock=9, per_member=1)
    body = {"customer_id": member, "reward": "CUP"}
    assert api.post("redemptions", body).status_code == 409

    undo(api, redemption)

    assert api.post("redemptions", body).status_code == 201


@pytest.mark.rule("CG-22")
def test_vouchers_are_void_but_a_used_one_is_spent(api: Any, programme: Any, member: str, redeemed: Any) -> None:
    unused, used = redeemed("TEA", points=10), redeemed("COFFEE", points=10, quantity=2)
    api.post(f"vouchers/{used['vouchers'][0]['code']}/use")

    assert undo(api, unused).status_code == 200
    refused = undo(api, used)

    assert [one["status"] for one in api.get(f"redemptions/{unused['id']}").get_json()["vouchers"]] == ["void"]
    assert (refused.status_code, refused.get_json()["current"]) == (409, "used")
    statuses = {one["status"] for one in api.get(f"redemptions/{used['id']}").get_json()["vouchers"]}
    assert statuses == {"used", "issued"}, "a refused cancelling changes nothing"
    assert programme.purse(member)["available"] == 130


def test_a_redemption_is_cancelled_once_and_in_time(api: Any, programme: Any, member: str, redeemed: Any) -> None:
    first, late = redeemed("TILL", "discount", points=10), redeemed("TILL2", "discount", points=10)
    undo(api, first)

    again = undo(api, first)
    programme.clock.advance(days=30)
    too_late = undo(api, late)

    assert (again.status_code, again.get_json()["current"]) == (409, "cancelled")
    assert too_late.status_code == 409
    assert "CG-22" in too_late.get_json()["detail"]


def test_a_capture_at_the_till_is_cancelled_like_any_other(
    api: Any, programme: Any, member: str, lots: Any, in_balance: Any
) -> None:
    before = lots()
    hold = api.post("holds", {"customer_id": member, "points": 120}).get_json()["id"]
    captured = api.post(f"holds/{hold}/capture", {"points": 110}).get_json()

    undo(api, {"id": captured["redemption_id"]})

    assert lots() == before
    assert programme.purse(member)["available"] == 150
    in_balance()


@pytest.mark.rule("CG-23")
def test_of_twenty_who_cancel_at_once_exactly_one_wins(
    programme: Any, member: str, redeemed: Any, in_balance: Any, twenty_at_once: Any
) -> None:
    redemption = uuid.UUID(redeemed("TEA", points=120)["id"])

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            cancel(context, context.session.get_one(Redemption, redemption), "twice", f"till-{number}")

    assert twenty_at_once(try_it) == ["refused"] * 19 + ["won"]
    assert programme.purse(member)["available"] == 150
    in_balance()
