"""Whose word a change takes: by its size, up or down, and by the role of who asks."""

from __future__ import annotations

import pytest

from loyalty.adjustments.domain import DIRECTOR, SECOND_PERSON, needed
from loyalty.policy import Adjustments

RULES = Adjustments(1000, 10_000, "CG-05", {"handler": 200, "store_manager": 3000}, ("goodwill",))


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
