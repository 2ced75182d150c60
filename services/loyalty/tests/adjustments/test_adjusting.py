"""Points are changed by hand with a reason, within one's limit alone, beyond it with a second person."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from chassis.testkit.people import Company

PATH = "/api/v1/adjustments"


class Staff:
    """People of one company who change points and agree to others' changes."""

    def __init__(self, programme: Any, client: Callable[..., Any]) -> None:
        self.company = Company(programme.runtime)
        self._client = client
        self._runtime = programme.runtime
        for username, role in (("li", "service_manager"), ("wang", "store_manager"), ("zhou", "director")):
            self.company.employ(username, [role])

    def signed_in(self, username: str, role: str, unit_path: str = "/") -> Any:
        return self._client(self._runtime, roles=[role], username=username, unit_path=unit_path)

    def changes(self, customer_id: str, points: int, by: str = "li", role: str = "service_manager", **more: Any) -> Any:
        body = {"customer_id": customer_id, "points": points, "reason_code": "goodwill", "note": "long wait", **more}
        return self.signed_in(by, role).post(PATH, json=body, headers={"Idempotency-Key": str(uuid.uuid4())})

    def says(self, word: str, id_: str, by: str, role: str, **body: Any) -> Any:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return self.signed_in(by, role).post(f"{PATH}/{id_}/{word}", json=body, headers=key)


@pytest.fixture
def staff(programme: Any, client: Callable[..., Any]) -> Staff:
    return Staff(programme, client)


@pytest.fixture
def member(programme: Any) -> str:
    """A member with 100 available points of October."""
    customer: str = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=datetime(2026, 10, 1, tzinfo=UTC))
    programme.clock.advance(seconds=1)
    return customer


@pytest.mark.rule("CG-23")
def test_a_small_change_is_booked_at_once_and_says_why(
    programme: Any, api: Any, staff: Staff, member: str, recorded: Any, in_balance: Any
) -> None:
    made = staff.changes(member, 300)

    assert (made.status_code, made.json["status"], made.json["needs"]) == (201, "booked", None)
    assert programme.purse(member)["available"] == 400
    entry = api.get(f"members/{member}/entries").get_json()["items"][0]
    assert (entry["kind"], entry["points"], entry["reason"]) == ("adjustment", 300, "long wait")
    assert (entry["why"]["clause"], entry["why"]["inputs"]["by"]) == ("CG-05", "li")
    assert entry["why"]["policyversion"] == made.json["policyversion"]
    (event,) = recorded(programme.runtime, "points.adjusted.v1")
    assert (event.data["points"], event.data["reason_code"], event.data["by"]) == (300, "goodwill", "li")
    assert event.data["adjustment_id"] == made.json["id"]
    in_balance()


def test_points_are_taken_from_the_lots_that_lapse_soonest(
    programme: Any, api: Any, staff: Staff, member: str, in_balance: Any
) -> None:
    programme.buys("50.00", "P0", at=datetime(2025, 12, 1, tzinfo=UTC))

    taken = staff.changes(member, -60, reason_code="correction")

    assert taken.status_code == 201
    assert programme.purse(member)["available"] == 90
    lots = {lot["points"]: lot["remaining"] for lot in api.get(f"members/{member}/lots").get_json()["items"]}
    assert lots == {50: 0, 100: 90}
    in_balance()


def test_more_than_is_available_is_not_taken(programme: Any, api: Any, staff: Staff, member: str) -> None:
    api.post("holds", {"customer_id": member, "points": 40})

    refused = staff.changes(member, -61)

    assert (refused.status_code, refused.json["available"]) == (409, 60)
    assert programme.purse(member)["available"] == 60
    assert api.get("adjustments").get_json()["items"] == []


def test_a_reason_that_the_pack_does_not_name_is_refused_with_those_it_names(staff: Staff, member: str) -> None:
    refused = staff.changes(member, 10, reason_code="because")

    assert refused.status_code == 422
    assert "goodwill, correction" in refused.json["errors"]["reason_code"][0]
    assert staff.changes(member, 0).status_code == 422


def test_a_form_is_told_the_reasons_and_how_far_one_may_go_alone(staff: Staff) -> None:
    told = staff.signed_in("li", "service_manager").get(f"{PATH}/choices").json

    assert told["reasons"][:2] == ["goodwill", "correction"]
    assert (told["alone"], told["director_above"], told["clause"]) == (1000, 10000, "CG-05")


@pytest.mark.rule("CG-23")
def test_above_the_limit_a_second_person_must_agree(
    programme: Any, staff: Staff, member: str, recorded: Any, in_balance: Any
) -> None:
    assert staff.changes(member, 1000, by="zhou", role="director").status_code == 201
    asked = staff.changes(member, 1001)

    assert (asked.status_code, asked.json["status"], asked.json["needs"]) == (202, "proposed", "second_person")
    assert asked.json["why"] == "1001 points are above 1000: a second person must agree"
    assert programme.purse(member)["available"] == 1100
    own = staff.says("approve", asked.json["id"], "li", "service_manager")
    assert own.status_code == 403

    agreed = staff.says("approve", asked.json["id"], "wang", "store_manager", note="seen the receipt")

    assert (agreed.json["status"], agreed.json["decided_by"]) == ("booked", "wang")
    assert programme.purse(member)["available"] == 2101
    assert recorded(programme.runtime, "points.adjusted.v1")[-1].data["approved_by"] == "wang"
    assert staff.says("approve", asked.json["id"], "zhou", "director").status_code == 409
    in_balance()


@pytest.mark.rule("CG-23")
def test_splitting_a_change_into_several_below_the_limit_is_noticed(programme: Any, staff: Staff, member: str) -> None:
    other = programme.enrol("card:2")
    assert staff.changes(member, 600).status_code == 201

    split = staff.changes(member, -401)

    assert (split.status_code, split.json["needs"]) == (202, "second_person")
    assert "the 600 that the same person changed within 1 day" in split.json["why"]
    assert staff.changes(member, 400).status_code == 201, "what waits for a second person is not changed alone"
    assert staff.changes(member, 1).status_code == 202
    assert staff.changes(member, 1000, by="wang", role="store_manager").status_code == 201, "another person"
    assert staff.changes(other, 1000).status_code == 201, "another member"
    programme.clock.advance(days=1)
    assert staff.changes(member, 1000).status_code == 201, "another day"


def test_of_steps_taken_at_once_only_those_within_the_limit_are_booked(
    programme: Any, staff: Staff, member: str, in_balance: Any
) -> None:
    staff.signed_in("li", "service_manager")  # makes the application before the threads need it
    answers: list[int] = []
    threads = [
        threading.Thread(target=lambda: answers.append(staff.changes(member, 300).status_code)) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [201] * 3 + [202] * 5
    assert programme.purse(member)["available"] == 1000
    in_balance()


def test_far_above_it_only_a_director_may_agree_and_taking_counts_as_giving(
    programme: Any, staff: Staff, member: str
) -> None:
    given = staff.changes(member, 10_001).json
    assert given["needs"] == "director"
    assert staff.says("approve", given["id"], "wang", "store_manager").status_code == 403
    assert staff.says("approve", given["id"], "zhou", "director").json["status"] == "booked"

    taken = staff.changes(member, -10_001).json

    assert taken["needs"] == "director"
    assert programme.purse(member)["available"] == 10_101


def test_what_is_rejected_or_too_old_books_nothing(programme: Any, api: Any, staff: Staff, member: str) -> None:
    rejected, withdrawn, forgotten = (staff.changes(member, points).json["id"] for points in (2000, 3000, 4000))
    assert staff.says("reject", rejected, "wang", "store_manager", note="no receipt").json["status"] == "rejected"
    assert staff.says("reject", withdrawn, "li", "service_manager").json["decided_by"] == "li"
    programme.clock.advance(days=8)

    late = staff.says("approve", forgotten, "wang", "store_manager")

    assert (late.status_code, late.json["state"]) == (409, "expired")
    assert programme.purse(member)["available"] == 100
    by_state = {
        status: sorted(found["points"] for found in api.get("adjustments", status=status).get_json()["items"])
        for status in ("booked", "proposed", "rejected", "expired")
    }
    assert by_state == {"booked": [], "proposed": [], "rejected": [2000, 3000], "expired": [4000]}


def test_a_deduction_that_has_lost_its_points_stays_open(programme: Any, api: Any, staff: Staff, member: str) -> None:
    staff.changes(member, 1000)
    asked = staff.changes(member, -1050).json["id"]
    api.post("holds", {"customer_id": member, "points": 100})

    refused = staff.says("approve", asked, "wang", "store_manager")

    assert (refused.status_code, refused.json["available"]) == (409, 1000)
    assert api.get(f"adjustments/{asked}").get_json()["status"] == "proposed"


def test_of_many_who_agree_at_once_one_books_it(
    programme: Any, staff: Staff, member: str, recorded: Any, in_balance: Any
) -> None:
    asked = staff.changes(member, 5000).json["id"]
    staff.signed_in("wang", "store_manager")  # makes the application before the threads need it
    answers: list[int] = []

    def agree(username: str) -> None:
        answers.append(staff.says("approve", asked, username, "store_manager").status_code)

    threads = [threading.Thread(target=agree, args=(f"manager{n}",)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert sorted(answers) == [200] + [409] * 7
    assert programme.purse(member)["available"] == 5100
    assert len(recorded(programme.runtime, "points.adjusted.v1")) == 1
    in_balance()


def test_the_approvals_of_the_house_know_it_under_the_same_id(programme: Any, staff: Staff, member: str) -> None:
    asked = staff.changes(member, 2000).json["id"]
    approvals = "/api/v1/services/loyalty/approvals"

    director = staff.signed_in("zhou", "director")
    listed = director.get(approvals, query_string={"kind": "adjustment"}).json["items"]
    assert [(found["id"], found["description"]) for found in listed] == [(asked, "+2000 points (goodwill): long wait")]
    assert director.post(f"{approvals}/{asked}/approve", json={}).status_code == 200

    assert programme.purse(member)["available"] == 2100


def test_who_is_under_review_gets_them_when_cleared(programme: Any, staff: Staff, member: str, in_balance: Any) -> None:
    standing = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}
    programme.tell("customers", programme.customer_event("updated", member, standing=standing))
    staff.changes(member, 300)
    assert (programme.purse(member)["available"], programme.purse(member)["blocked"]) == (100, 300)

    programme.tell("customers", programme.customer_event("updated", member))

    assert (programme.purse(member)["available"], programme.purse(member)["blocked"]) == (400, 0)
    in_balance()


def test_staff_change_and_agree_within_their_own_units(programme: Any, staff: Staff) -> None:
    south, north = (staff.company.unit(code) + "/" for code in ("SOUTH", "NORTH"))
    member = programme.enrol("card:2", unit="SOUTH")
    body = {"customer_id": member, "points": 2000, "reason_code": "goodwill", "note": "long wait"}

    def post(unit_path: str, path: str, json: Any, username: str) -> Any:
        key = {"Idempotency-Key": str(uuid.uuid4())}
        return staff.signed_in(username, "store_manager", unit_path).post(path, json=json, headers=key)

    assert post(north, PATH, body, "bei").status_code == 404
    asked = post(south, PATH, body, "nan").json["id"]

    assert post(north, f"{PATH}/{asked}/approve", {}, "bei").status_code == 404
    elsewhere = staff.signed_in("bei", "store_manager", north)
    assert elsewhere.post(f"/api/v1/services/loyalty/approvals/{asked}/approve", json={}).status_code == 403
    assert elsewhere.get(PATH).json["items"] == []
    assert post(south, f"{PATH}/{asked}/approve", {}, "nana").json["status"] == "booked"


def test_the_same_key_is_one_change_and_never_another(programme: Any, api: Any, member: str) -> None:
    body = {"customer_id": member, "points": 10, "reason_code": "goodwill", "note": "long wait"}
    first, again = api.post("adjustments", body, "k1"), api.post("adjustments", body, "k1")
    other = api.post("adjustments", body | {"points": 20}, "k1")

    assert (first.get_json(), other.status_code) == (again.get_json(), 422)
    assert programme.purse(member)["available"] == 110
