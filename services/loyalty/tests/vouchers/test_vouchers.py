"""A voucher is taken in once, in its time, by whoever shows it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.vouchers.use_cases import use

LONG_AGO = datetime(2026, 10, 1, tzinfo=UTC)


@pytest.fixture
def voucher(api: Any, programme: Any, offer: Any) -> Callable[..., dict[str, Any]]:
    """``voucher(usable_for_days=10)``: a member has bought one; answers it."""
    member = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=LONG_AGO)

    def bought(**terms: Any) -> dict[str, Any]:
        offer("TEA", "voucher", points=50, **terms)
        made = api.post("redemptions", {"customer_id": member, "reward": "TEA"}).get_json()
        found: dict[str, Any] = made["vouchers"][0]
        return found

    return bought


@pytest.mark.rule("CG-22")
def test_a_till_reads_a_voucher_and_takes_it_in(api: Any, voucher: Any) -> None:
    code = voucher()["code"]

    read = api.get(f"vouchers/{code.lower()}").get_json()
    used = api.post(f"vouchers/{code}/use", {"store": "SH001", "reference": "SH001-4711"}).get_json()

    assert (read["status"], read["reward"], read["name"]) == ("issued", "TEA", "TEA 礼遇")
    assert "customer_id" not in read
    assert (used["status"], used["store"], used["reference"]) == ("used", "SH001", "SH001-4711")
    assert api.get(f"vouchers/{code}").get_json() == used


def test_who_comes_second_is_told_when_and_where_it_was_used(api: Any, voucher: Any) -> None:
    code = voucher()["code"]
    api.post(f"vouchers/{code}/use", {"store": "SH001"})

    again = api.post(f"vouchers/{code}/use", {"store": "SH002"})

    assert (again.status_code, again.get_json()["current"]) == (409, "used")
    assert "2026-11-20T02:00:00+00:00 at SH001" in again.get_json()["detail"]


def test_a_till_that_asks_again_under_its_key_gets_the_same_answer(api: Any, voucher: Any) -> None:
    code = voucher()["code"]

    first = api.post(f"vouchers/{code}/use", {"store": "SH001"}, key="till-1")
    again = api.post(f"vouchers/{code}/use", {"store": "SH001"}, key="till-1")

    assert (first.status_code, again.status_code, again.get_json()) == (200, 200, first.get_json())


@pytest.mark.rule("CG-22")
def test_a_voucher_holds_to_the_end_of_its_last_day(api: Any, programme: Any, voucher: Any) -> None:
    bought = voucher()
    assert bought["valid_until"] == "2027-02-18T16:00:00Z", "90 days after 20 November, to midnight in Shanghai"
    programme.clock.travel_to(datetime(2027, 2, 18, 15, 59, 59, tzinfo=UTC))
    assert api.get(f"vouchers/{bought['code']}").get_json()["status"] == "issued"

    programme.clock.advance(seconds=1)

    assert api.get(f"vouchers/{bought['code']}").get_json()["status"] == "expired"
    refused = api.post(f"vouchers/{bought['code']}/use")
    assert (refused.status_code, refused.get_json()["current"]) == (409, "expired")


def test_a_reward_may_give_its_vouchers_a_time_of_their_own(voucher: Any) -> None:
    assert voucher(usable_for_days=10)["valid_until"] == "2026-11-30T16:00:00Z"


@pytest.mark.parametrize("rules", [{"vouchers_valid_for: 90 days": "vouchers_valid_for: ever"}])
def test_a_pack_may_give_them_no_end(voucher: Any) -> None:
    assert voucher()["valid_until"] is None


def test_a_mistyped_code_is_told_from_one_that_nobody_has(api: Any, voucher: Any) -> None:
    code = voucher()["code"]
    mistyped = ("3" if code[0] == "2" else "2") + code[1:]

    wrong, unknown = api.get(f"vouchers/{mistyped}"), api.get("vouchers/2222-2222-2222")

    assert (wrong.status_code, unknown.status_code) == (404, 404)
    assert "mistyped" in wrong.get_json()["detail"]
    assert "mistyped" not in unknown.get_json()["detail"]


def test_a_voucher_whose_redemption_was_cancelled_is_void(api: Any, voucher: Any) -> None:
    code = voucher()["code"]
    redemption = api.get(f"vouchers/{code}").get_json()["redemption_id"]
    api.post(f"redemptions/{redemption}/cancel", {"reason": "customer changed her mind"})

    refused = api.post(f"vouchers/{code}/use")

    assert (refused.status_code, refused.get_json()["current"]) == (409, "void")


@pytest.mark.rule("CG-22")
def test_of_twenty_tills_that_take_it_in_at_once_exactly_one_does(
    programme: Any, voucher: Any, twenty_at_once: Any
) -> None:
    code = voucher()["code"]

    def try_it(number: int) -> None:
        with programme.runtime.context() as context:
            use(context, code, f"SH{number:03}", None, "till")

    assert twenty_at_once(try_it) == ["refused"] * 19 + ["won"]
