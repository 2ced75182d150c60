"""What two did who are one person counts for the one: deeds, birthdays, referrals, changes by hand."""

from __future__ import annotations

from typing import Any

import pytest

from chassis.timing.due import DuePoller
from kezhi_contracts import schemas

GIVEN = "\nbirthday_grant: {points: 50 points, when: birthday, calendars: [solar], clause: CG-24}\n"
BIRTHDAYS = {"\nredemption:\n": f"{GIVEN}\nredemption:\n"}


def adopted(customer_id: str) -> dict[str, Any]:
    event = schemas.example("suggestion.adopted.v1")
    event["data"] |= {"customer_id": customer_id}
    return event


def test_a_deed_told_of_the_absorbed_is_rewarded_at_the_survivor(
    programme: Any, registry: Any, in_balance: Any
) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    registry.merge(survivor, absorbed)

    assert programme.tell("rewards", adopted(absorbed)) == ["accepted"]

    assert (programme.purse(survivor)["available"], programme.purse(absorbed)["available"]) == (500, 0)
    in_balance()


def test_a_referral_of_two_who_turn_out_to_be_one_pays_nothing(
    programme: Any, registry: Any, api: Any, in_balance: Any
) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    made = api.post("referrals", {"referrer": survivor, "referred": absorbed}).get_json()["id"]
    programme.buys("60.00", by="card:2")
    registry.merge(survivor, absorbed)

    DuePoller(programme.runtime).drain()

    shown = api.get(f"referrals/{made}").get_json()
    assert (shown["status"], shown["reason"]) == ("void", "they have turned out to be one person")
    assert programme.purse(survivor)["pending"] == 60
    in_balance()


def test_nobody_refers_what_they_were_and_nothing_is_changed_there(programme: Any, registry: Any, api: Any) -> None:
    survivor, absorbed = registry.registers("card:1"), registry.registers("card:2")
    registry.merge(survivor, absorbed)

    referred = api.post("referrals", {"referrer": survivor, "referred": absorbed})
    body = {"customer_id": absorbed, "points": 10, "reason_code": "goodwill", "note": "long wait"}

    assert (referred.status_code, referred.get_json()["objection"]) == (409, "one_person")
    assert api.post("adjustments", body).status_code == 409


@pytest.mark.parametrize("rules", [BIRTHDAYS])
def test_a_birthday_that_one_was_given_is_the_others_too(programme: Any, registry: Any) -> None:
    survivor = registry.registers("card:1", birthday="1990-11-25")
    absorbed = registry.registers("card:2", birthday="1990-11-20")
    programme.run("grant-birthdays")
    assert programme.purse(absorbed)["available"] == 50
    registry.merge(survivor, absorbed)
    registry.updates(survivor, birthday="1990-11-25")
    programme.clock.advance(days=5)

    programme.run("grant-birthdays")

    assert programme.purse(survivor)["available"] == 50
