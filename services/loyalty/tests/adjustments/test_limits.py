"""Whose word a change takes: by its size, up or down, and by the role of who asks."""

from __future__ import annotations

import pytest

from chassis.policies.units import Duration
from loyalty.adjustments.domain import DIRECTOR, SECOND_PERSON, Before, needed
from loyalty.policy import Adjustments

RULES = Adjustments(1000, 10_000, "CG-05", {"handler": 200, "store_manager": 3000}, ("goodwill",), Duration(1, "day"))


@pytest.mark.parametrize(
    ("points", "roles", "whose"),
    [
        (1000, {"service_manager"}, None),
        (1001, {"service_manager"}, SECOND_PERSON),
        (-1001, {"service_manager"}, SECOND_PERSON),
        (200, {"handler"}, None),
        (201, {"handler"}, SECOND_PERSON),
        (3000, {"handler", "store_manager"}, None),  # the widest of one's limits
        (10_000, {"store_manager"}, SECOND_PERSON),
        (-10_001, {"store_manager"}, DIRECTOR),
        (10_001, {"director"}, DIRECTOR),  # and never oneself
        (1, set(), SECOND_PERSON),
    ],
)
def test_whose_word_a_change_takes(points: int, roles: set[str], whose: str | None) -> None:
    assert needed(points, roles, RULES).whose == whose


@pytest.mark.parametrize(
    ("points", "before", "whose"),
    [
        (400, Before(600, 600), None),
        (401, Before(600, 600), SECOND_PERSON),
        (-401, Before(600, 600), SECOND_PERSON),
        (1, Before(0, 9000), None),  # others have looked at those
        (1001, Before(0, 8999), SECOND_PERSON),
        (1001, Before(0, 9000), DIRECTOR),
    ],
)
def test_a_large_change_in_small_steps_is_the_large_change(points: int, before: Before, whose: str | None) -> None:
    assert needed(points, {"service_manager"}, RULES, before).whose == whose


def test_the_reason_names_what_went_before() -> None:
    assert needed(401, {"service_manager"}, RULES, Before(600, 600)).why == (
        "401 points and the 600 that the same person changed within 1 day are above 1000: a second person must agree"
    )
