"""Staff read the members whom their own units, and those below, look after: lists, statements and holds alike."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.testkit.people import Company


@pytest.fixture
def shops(programme: Any, client: Callable[..., Any]) -> tuple[dict[str, str], Callable[[str], Any]]:
    """Members of two shops and of none; and who signs in as somebody of a unit."""
    company = Company(programme.runtime)
    paths = {code: company.unit(code, parent) for code, parent in (("SH", None), ("SH001", "SH"), ("SH0", None))}
    members = {
        unit: programme.enrol(f"card:{unit}", unit=unit, customer_id=f"0192d3c4-0000-7000-8000-00000000000{n}")
        for n, unit in enumerate(("SH001", "SH0", None, "unheard-of"))
    }

    def of(unit: str) -> Any:
        path = paths[unit] + "/" if unit in paths else "/"
        return client(programme.runtime, roles=["store_manager"], unit_path=path, username=unit)

    return members, of


def test_a_list_holds_the_members_of_ones_own_units(shops: Any) -> None:
    members, of = shops

    def seen(unit: str) -> list[str]:
        return [row["customer_id"] for row in of(unit).get("/api/v1/members").json["items"]]

    assert seen("SH") == seen("SH001") == [members["SH001"]]
    assert seen("SH0") == [members["SH0"]], "SH0 is not below SH"
    assert seen("the company") == list(members.values())


@pytest.mark.parametrize("below", ["", "/entries", "/lots", "/tiers", "/benefits"])
def test_a_member_of_others_is_as_if_there_were_none(shops: Any, below: str) -> None:
    members, of = shops
    path = f"/api/v1/members/{members['SH001']}{below}"

    assert [of(unit).get(path).status_code for unit in ("SH", "SH001", "SH0", "the company")] == [200, 200, 404, 200]
    assert of("SH").get(f"/api/v1/members/{members[None]}{below}").status_code == 404


def test_points_are_spent_in_every_shop_but_holds_are_listed_at_home(programme: Any, shops: Any) -> None:
    members, of = shops
    programme.buys("100.00", by="card:SH001")
    programme.clock.advance(days=8)
    programme.run("release-pending")

    body = {"customer_id": members["SH001"], "points": 10}
    made = of("SH0").post("/api/v1/holds", json=body, headers={"Idempotency-Key": "elsewhere"})

    assert made.status_code == 201
    listed = [of(unit).get(f"/api/v1/holds?customer_id={members['SH001']}").json["items"] for unit in ("SH", "SH0")]
    assert [len(items) for items in listed] == [1, 0]


def test_a_customer_who_moves_is_seen_by_the_new_unit(programme: Any, shops: Any) -> None:
    members, of = shops
    moved = programme.customer_event("updated", members["SH001"], unit="SH0", identities=[])
    programme.tell("customers", moved)

    path = f"/api/v1/members/{members['SH001']}"
    assert [of(unit).get(path).status_code for unit in ("SH", "SH0")] == [404, 200]
