"""No retaliation (TR-11): whoever a case is against finds it nowhere, and their people neither; nor do strangers."""

from __future__ import annotations

from typing import Any

import pytest

ABOUT_WANG = {"kind": "staff", "ref": "wang"}
BODIES: dict[str, Any] = {
    "acknowledge": {}, "contact": {"kind": "first", "reached": True}, "progress": {"note": "x"},
    "triage": {"founded": True}, "assign": {"handler": "li"}, "investigate": {"cause": "x", "note": "x"},
    "propose": {"measures": "x"}, "approve": {}, "resolve": {"answer": "x"}, "attempt": {"note": "x"},
    "callback": {"satisfaction": 1}, "promise": {"due_at": "2026-12-01T00:00:00Z", "reason": "x"}, "wait": {"for": "x"},
    "resume": {}, "unfounded": {"reason": "x"}, "withdraw": {"reason": "x"}, "escalate": {"reason": "x"},
    "compensate": {"amount": "1.00", "currency": "CNY", "reason": "x"}, "reopen": {"reason": "x"},
}  # fmt: skip


def every_way_in(house: Any, case: Any, who: str) -> list[int]:
    """Each resource of one case, as somebody asks for it."""
    desk = house.as_(who)
    reads = [desk.get(f"complaints/{case.id}{below}").code for below in ("", "/history", "/clocks")]
    acts = [desk.post(f"complaints/{case.id}/{action}", body).code for action, body in BODIES.items()]
    return [*reads, *acts, desk.patch(f"complaints/{case.id}", {"subject": "x"}, "*").code]


@pytest.mark.rule("TR-11")
@pytest.mark.parametrize(
    ("accused", "who", "roles"),
    [
        ("wang", "wang", ["handler"]),
        ("wang", "wang", ["service_manager"]),
        ("wang", "wang", ["director"]),
        ("wang", "wang", ["supervisor"]),
        ("wang", "wang", ["administrator"]),
        ("wang", "wang", ["administrator", "auditor"]),
        ("wang", "ma", ["handler"]),
        ("wang", "ma", ["director"]),
        ("wang", "ma", ["administrator"]),
    ],
)
def test_the_accused_and_their_people_find_the_case_nowhere(
    house: Any, given_complaint: Any, accused: str, who: str, roles: list[str]
) -> None:
    house.company.employ(who, roles, superior="zhou" if who == "wang" else "wang")
    other = given_complaint(subject="Another matter")
    case = given_complaint(subject="Rude at the till", against={"kind": "staff", "ref": accused})
    house.as_("li").post(f"complaints/{case.id}/acknowledge")
    desk = house.as_(who)

    assert set(every_way_in(house, case, who)) == {404}
    for query in ({}, {"order": "queue"}, {"q": "Rude"}, {"q": case.number}, {"level": 1}, {"status": "acknowledged"}):
        assert case.id not in [found["id"] for found in desk.get("complaints", **query).items]
    assert [found["id"] for found in desk.get("complaints").items] == [other.id]
    assert (desk.get("complaints/counts").open, house.as_("li").get("complaints/counts").open) == (1, 2)
    if {"administrator", "auditor"} & set(roles):
        subjects = {row["subject"] for row in desk.get("services/complaint/audit", limit=200).items}
        assert case.id not in subjects
        assert other.id in subjects


@pytest.mark.rule("TR-11")
def test_a_hidden_case_answers_as_one_that_does_not_exist(house: Any, given_complaint: Any) -> None:
    case = given_complaint(against=ABOUT_WANG)
    nowhere = "01a1f6ae-9900-7ba5-abcb-a50bae7be724"

    hidden, missing = house.as_("wang").get(f"complaints/{case.id}"), house.as_("wang").get(f"complaints/{nowhere}")

    same = {name: str(hidden.body[name]).replace(case.id, nowhere) for name in ("title", "status", "detail", "type")}
    assert same == {name: str(missing.body[name]) for name in same}


@pytest.mark.rule("TR-11")
def test_a_complainant_who_knows_a_name_only_is_protected_as_well(house: Any, given_complaint: Any) -> None:
    house.company.employ("wang", ["handler"], unit="SH001", superior="zhou", name="小王")

    case = given_complaint(against={"kind": "staff", "ref": "小王"})

    assert house.as_("wang").get(f"complaints/{case.id}").code == 404


@pytest.mark.rule("TR-11")
def test_a_case_against_a_store_is_hidden_from_its_head_alone(house: Any, given_complaint: Any) -> None:
    case = given_complaint(against={"kind": "store", "ref": "SH001"})

    assert house.as_("zhou").get(f"complaints/{case.id}").code == 404
    assert house.as_("chen").get(f"complaints/{case.id}").code == 200


@pytest.mark.rule("TR-11")
def test_a_change_of_whom_it_is_against_moves_the_guard_with_it(
    house: Any, given_complaint: Any, recorded: Any
) -> None:
    case = given_complaint()
    assert (case.handler, house.as_("li").get(f"complaints/{case.id}").code) == ("li", 200)

    changed = house.as_("chen").patch(f"complaints/{case.id}", {"against": {"kind": "staff", "ref": "li"}}, "*")

    assert (changed.code, changed.handler) == (200, "chen")
    assert house.as_("li").get(f"complaints/{case.id}").code == 404
    last = recorded(house.runtime, "complaint.assigned.v1")[-1]
    assert last.data["hidden_from"] == [{"staff": "li", "with_subordinates": True}]


@pytest.mark.rule("TR-11")
def test_every_event_of_a_case_says_whom_it_is_hidden_from(house: Any, given_complaint: Any, recorded: Any) -> None:
    given_complaint(against=ABOUT_WANG).contacted().closed(2)

    said = [event for event in recorded(house.runtime) if event.type.startswith(("complaint.", "link."))]
    assert len(said) >= 6
    assert all(event.data["hidden_from"] == [{"staff": "wang", "with_subordinates": True}] for event in said)


@pytest.mark.parametrize(
    ("who", "roles", "unit", "sees"),
    [
        ("a", ["front_desk"], "SH001", True),
        ("a", ["front_desk"], "SH", True),
        ("a", ["handler"], None, True),
        ("a", ["auditor"], None, True),
        ("a", ["supervisor"], "SH001", True),
        ("a", ["front_desk"], "SH002", False),
        ("a", ["handler"], "SH002", False),
        ("a", ["store_manager"], "SH002", False),
        ("a", ["auditor"], "SH002", False),
    ],
)
def test_a_case_is_seen_in_its_unit_and_above(
    house: Any, given_complaint: Any, who: str, roles: list[str], unit: str | None, sees: bool
) -> None:
    house.company.employ(who, roles, unit=unit)
    case = given_complaint(unit="SH001")

    assert house.as_(who).get(f"complaints/{case.id}").code == (200 if sees else 404)
    assert [found["id"] for found in house.as_(who).get("complaints").items] == ([case.id] if sees else [])
    assert house.as_(who).get("complaints/counts").open == int(sees)


def test_who_recorded_or_handles_a_case_sees_it_wherever_it_belongs(house: Any, given_complaint: Any) -> None:
    house.company.employ("far", ["front_desk"], unit="SH002")
    house.company.employ("lu", ["handler"], unit="SH002")
    case = given_complaint(by="far", unit="SH001")
    case.does("assign", {"handler": "lu"}, by="chen")

    assert house.as_("far").get(f"complaints/{case.id}").code == 200
    assert house.as_("lu").get(f"complaints/{case.id}").code == 200


@pytest.mark.parametrize("role", ["marketing", "finance", "integration", "portal"])
def test_roles_without_business_here_read_nothing(house: Any, given_complaint: Any, role: str) -> None:
    case = given_complaint()
    house.company.employ("other", [role])

    for path in ("complaints", "complaints/counts", f"complaints/{case.id}", f"complaints/{case.id}/history"):
        assert house.as_("other").get(path).code == 403
    assert house.nobody().get("complaints").code == 401


def test_an_auditor_reads_contacts_masked_and_changes_nothing(house: Any, given_complaint: Any) -> None:
    house.company.employ("yin", ["auditor"])
    case = given_complaint(complainant={"name": "王芳", "phone": "13800138000", "email": "wang@example.com"})

    shown = house.as_("yin").get(f"complaints/{case.id}")

    assert shown.complainant == {"name": "王**", "phone": "138****8000", "email": "w****@example.com"}
    assert house.as_("yin").get("complaints").items[0]["customer_name"] == "王**"
    assert house.as_("yin").post(f"complaints/{case.id}/acknowledge").code == 403
    assert shown.allowed == []


@pytest.mark.rule("TR-11")
def test_a_repeat_does_not_tell_of_the_hidden_case_before_it(house: Any, given_complaint: Any) -> None:
    caller = {"name": "王芳", "phone": "13500135000"}
    first = given_complaint(complainant=caller, against=ABOUT_WANG)
    again = given_complaint(complainant=caller)

    assert house.as_("li").get(f"complaints/{again.id}").repeat_of == first.id
    assert house.as_("wang").get(f"complaints/{again.id}").repeat_of is None
