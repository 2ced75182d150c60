"""How grave a case is: decided by the pack's rules, shown with the clause, raised and never lowered."""

from __future__ import annotations

from typing import Any

import pytest

WANG = {"name": "王芳", "phone": "13800138000"}
CASES = [
    ({}, 1, "handler"),
    ({"value": {"amount": "499.99"}}, 1, "handler"),
    ({"insists": True}, 2, "service_manager"),
    ({"value": {"amount": "500.00"}}, 2, "service_manager"),
    ({"category": "service.attitude"}, 2, "service_manager"),
    ({"category": "safety.accident"}, 3, "store_manager"),
    ({"category": "safety.food_poisoning"}, 3, "store_manager"),
    ({"category": "product.expired"}, 3, "store_manager"),
    ({"category": "safety.spoiled_food"}, 3, "store_manager"),
    ({"category": "product.batch_quality"}, 3, "store_manager"),
    ({"channel": "regulator"}, 3, "store_manager"),
    ({"value": {"amount": "2000.00"}}, 3, "store_manager"),
    ({"value": {"amount": "2000.00"}, "insists": True}, 3, "store_manager"),
]


@pytest.mark.rule("ML-02")
@pytest.mark.rule("FR-03")
@pytest.mark.parametrize(("said", "level", "role"), CASES)
def test_what_is_at_stake_decides_who_handles_it(given_complaint: Any, said: Any, level: int, role: str) -> None:
    case = given_complaint(**said)

    assert (case.level, case.handler_role) == (level, role)
    assert case.level_reason["level"] == level
    assert case.level_reason["clause"] == "CG-14"
    assert case.level_reason["because"]


@pytest.mark.rule("ML-02")
@pytest.mark.parametrize(
    ("roles", "level"),
    [(["supervisor"], 3), (["service_manager"], 3), (["handler"], 1), (["account_manager"], 1)],
)
def test_against_a_supervisor_or_above_is_the_highest_level(
    house: Any, given_complaint: Any, roles: list[str], level: int
) -> None:
    house.company.employ("gao", roles, unit="SH002")

    assert given_complaint(against={"kind": "staff", "ref": "gao"}).level == level


@pytest.mark.rule("FR-02")
def test_the_second_complaint_on_the_same_matter_is_linked_and_one_level_higher(
    house: Any, given_complaint: Any
) -> None:
    first = given_complaint(complainant=WANG, against={"kind": "product", "ref": "W-500"})
    house.clock.advance(days=30)

    again = given_complaint(complainant=WANG, against={"kind": "product", "ref": "W-500"})
    another = given_complaint(complainant=WANG, against={"kind": "product", "ref": "W-1500"})

    assert (again.level, again.repeat_of) == (2, first.id)
    assert (another.level, another.repeat_of) == (1, None)


@pytest.mark.rule("FR-02")
def test_after_thirty_days_or_from_somebody_else_it_is_a_matter_of_its_own(house: Any, given_complaint: Any) -> None:
    given_complaint(complainant=WANG)

    assert given_complaint(complainant={"phone": "13900139000"}).repeat_of is None
    house.clock.advance(days=30, seconds=1)
    assert given_complaint(complainant=WANG).repeat_of is None


@pytest.mark.rule("FR-02")
def test_what_is_beyond_the_first_handler_goes_up_with_its_level(given_complaint: Any) -> None:
    case = given_complaint().acknowledged()

    case.does("escalate", {"reason": "the customer is beside himself"})

    assert (case.level, case.handler, case.handler_role) == (2, "chen", "service_manager")
    assert case.level_reason["because"] == "the customer is beside himself"


@pytest.mark.rule("FR-05", partly="levels 1 and 2 are not yet reviewed one level higher before filing")
def test_a_graver_category_found_at_triage_raises_the_level_and_changes_the_hands(given_complaint: Any) -> None:
    case = given_complaint().triaged(category="safety.accident")

    assert (case.level, case.handler, case.status) == (3, "zhou", "triaged")


def test_a_milder_category_never_lowers_it(given_complaint: Any) -> None:
    case = given_complaint(level=3).triaged(category="product.quality")

    assert (case.level, case.category) == (3, "product.quality")
