"""Rights of a tier: so many times a year, on the right occasion, and one winner for the last one."""

from __future__ import annotations

import uuid
from typing import Any

import pytest

from loyalty.tiers.benefits import Asked, use_benefit

GOLD = "bonus: 10%}"
PLATINUM = "bonus: 20%}"
RIGHTS = {
    GOLD: "bonus: 10%, rights: [{right: free_upgrade, times: 2, per: year}, priority_service]}",
    PLATINUM: "bonus: 20%, rights: [{right: free_upgrade, times: 4, per: year}, "
    "{right: cake, times: 1, per: year, when: stays on the day}, {right: tea, times: 1, per: month}]}",
}
pytestmark = pytest.mark.parametrize("rules", [RIGHTS], ids=["rights"])


@pytest.fixture
def gold(programme: Any) -> str:
    customer: str = programme.enrol("card:1", birthday="1990-11-21")
    programme.buys("1500.00")
    return customer


@pytest.mark.rule("CG-22")
def test_a_right_is_used_so_many_times_a_year(programme: Any, api: Any, gold: str) -> None:
    used = [api.post(f"members/{gold}/benefits", {"right": "free_upgrade"}) for _ in range(3)]

    assert [answer.status_code for answer in used] == [201, 201, 409]
    assert [answer.get_json()["benefit"]["left"] for answer in used[:2]] == [1, 0]
    assert used[2].get_json()["detail"].endswith("again from 2027-01-01T00:00:00+08:00")
    (upgrade, service) = api.get(f"members/{gold}/benefits").get_json()["items"]
    assert (upgrade["right"], upgrade["times"], upgrade["used"], upgrade["left"]) == ("free_upgrade", 2, 2, 0)
    assert (service["right"], service["left"], service["clause"]) == ("priority_service", None, "CG-22")
    programme.clock.advance(days=42)
    assert api.post(f"members/{gold}/benefits", {"right": "free_upgrade"}).status_code == 201, "a new year"


@pytest.mark.rule("CG-22")
def test_of_twenty_who_ask_for_the_last_one_one_gets_it(
    programme: Any, api: Any, gold: str, twenty_at_once: Any
) -> None:
    api.post(f"members/{gold}/benefits", {"right": "free_upgrade"})

    def ask(number: int) -> None:
        with programme.runtime.context() as context:
            use_benefit(context, uuid.UUID(gold), Asked("free_upgrade", f"stay {number}"), "desk")

    assert twenty_at_once(ask) == ["refused"] * 19 + ["won"]
    assert programme.rows("SELECT count(*) AS uses FROM benefit_use")[0]["uses"] == 2


@pytest.mark.rule("HT-02")
def test_a_right_of_the_birthday_asks_for_the_stay(programme: Any, api: Any, gold: str) -> None:
    programme.buys("4000.00")
    path = f"members/{gold}/benefits"

    untold = api.post(path, {"right": "cake"})
    another = api.post(path, {"right": "cake", "stay_from": "2026-11-22", "stay_until": "2026-11-25"})
    used = api.post(path, {"right": "cake", "stay_from": "2026-11-20", "stay_until": "2026-11-22"})

    assert (untold.status_code, sorted(untold.get_json()["errors"])) == (422, ["stay_from", "stay_until"])
    assert another.status_code == 409
    assert (used.status_code, used.get_json()["tier"]) == (201, "platinum")
    assert used.get_json()["benefit"]["when"] == "stays on the day"


def test_a_right_of_the_month_is_renewed_with_it(programme: Any, api: Any, gold: str) -> None:
    programme.buys("4000.00")
    path = f"members/{gold}/benefits"

    assert [api.post(path, {"right": "tea"}).status_code for _ in range(2)] == [201, 409]
    programme.clock.advance(days=11)
    assert [api.post(path, {"right": "tea"}).status_code for _ in range(2)] == [201, 409]


def test_rights_of_other_tiers_and_of_none_are_refused(programme: Any, api: Any, gold: str) -> None:
    path = f"members/{gold}/benefits"

    above, unheard = api.post(path, {"right": "cake"}), api.post(path, {"right": "yacht"})

    assert (above.status_code, above.get_json()["tier"]) == (409, "gold")
    assert "platinum have" in above.get_json()["detail"]
    assert (unheard.status_code, list(unheard.get_json()["errors"])) == (422, ["right"])
    assert api.post(f"members/{uuid.uuid4()}/benefits", {"right": "cake"}).status_code == 404


def test_the_same_key_uses_a_right_once(api: Any, gold: str) -> None:
    path = f"members/{gold}/benefits"

    first, again = (api.post(path, {"right": "free_upgrade"}, key="desk-1") for _ in range(2))
    other = api.post(path, {"right": "priority_service"}, key="desk-1")

    assert first.get_json() == again.get_json()
    assert other.status_code == 422
    assert api.get(path).get_json()["items"][0]["used"] == 1


def test_whoever_is_blacklisted_has_no_rights_until_cleared(programme: Any, api: Any, gold: str) -> None:
    banned = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}
    programme.tell("customers", programme.customer_event("updated", gold, standing=banned))

    assert api.post(f"members/{gold}/benefits", {"right": "free_upgrade"}).status_code == 409


@pytest.mark.rule("CG-22")
def test_the_tiers_say_what_each_may_ask_for(api: Any) -> None:
    offered = api.get("tiers").get_json()

    platinum = next(tier for tier in offered["items"] if tier["tier"] == "platinum")
    assert platinum["rights"] == ["free_upgrade", "cake", "tea"]
    assert platinum["benefits"][1] == {
        "right": "cake", "times": 1, "per": "year", "when": "stays on the day", "clause": "CG-22",
    }  # fmt: skip
    assert {name: offered[name] for name in ("measure", "period", "rises", "falls")} == {
        "measure": "growth", "period": "rolling", "rises": "at once", "falls": "at period end",
    }  # fmt: skip
