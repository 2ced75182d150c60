"""The satisfaction gate as a table: every answer at every level."""

from __future__ import annotations

import pytest

from complaint.satisfaction.domain import GateRules, gate, gives_up

RULES = GateRules(
    scale={1: "very satisfied", 2: "satisfied", 3: "understands", 4: "dissatisfied", 5: "very dissatisfied"},
    closes={1, 2, 3},
    raise_by=1,
    top=3,
    clause="CG-16",
)


@pytest.mark.rule("FR-08")
@pytest.mark.rule("CG-16")
@pytest.mark.parametrize("level", [1, 2, 3])
@pytest.mark.parametrize("satisfaction", [1, 2, 3])
def test_one_to_three_closes_at_any_level(satisfaction: int, level: int) -> None:
    verdict = gate(satisfaction, level, RULES)

    assert (verdict.closes, verdict.level, verdict.executive) == (True, level, False)


@pytest.mark.rule("FR-08")
@pytest.mark.rule("CG-16")
@pytest.mark.parametrize("satisfaction", [4, 5])
@pytest.mark.parametrize(("level", "next_level", "executive"), [(1, 2, False), (2, 3, False), (3, 3, True)])
def test_four_and_five_open_the_next_round_one_level_up(
    satisfaction: int, level: int, next_level: int, executive: bool
) -> None:
    verdict = gate(satisfaction, level, RULES)

    assert (verdict.closes, verdict.level, verdict.executive) == (False, next_level, executive)
    assert verdict.clause == "CG-16"


def test_the_verdict_says_why() -> None:
    assert gate(2, 1, RULES).because == "the answer 2 (satisfied) closes the case"
    assert gate(4, 1, RULES).because == "the answer 4 (dissatisfied) opens the next round at level 2 instead of 1"
    assert "general-manager meeting" in gate(5, 3, RULES).because


def test_a_pack_may_close_on_fewer_answers_and_raise_further() -> None:
    strict = GateRules(RULES.scale, {1}, 2, 3, "X-1")

    assert gate(2, 1, strict).level == 3
    assert gate(2, 2, strict).level == 3
    assert gate(1, 2, strict).closes


def test_the_last_attempt_is_the_one_that_the_pack_names() -> None:
    assert [gives_up(attempts, 3) for attempts in (1, 2, 3)] == [False, False, True]
