"""A rebate is money: slips of the pen in the liquor distributor's pack are told with their place and their mend."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from chassis.policies.pack import from_documents, read_documents
from chassis.policies.problems import PolicyRefused
from loyalty.policy import SECTION

PACK = Path(__file__).parents[2] / "policies" / "liquor-distribution"
FILE = "liquor-distribution/loyalty.yaml"

# (what stands there, what a hand wrote instead, words of the message or the mend)
BROKEN = [
    ("every: quarter", "every: quarterly", "did you mean `quarter`?"),
    ("paid: 15 days", "paid: 15 working days", "cannot be counted in working days"),
    ("of: the whole", "of: all", "not known here"),
    ("rebate: 2%}", "rebate: 200%}", "more than 100%"),
    ("rebate: 4%}", "rebate: 40%}", "above the pack's own sanity cap of 20%"),
    ("rebate: 4%}", "rebate: 0.04}", "write a per cent sign"),
    ("rebate: 4%}", "rebate: 1%}", "who buys more would be given less"),
    ("rebate: 4%}", "rebate: 5000 points}", "who buys more would be given less"),
    ("rebate: 4%}", "rebate: 0.5 points}", "points are whole"),
    ("at: 1000000 CNY", "at: 100000 CNY", "does not lie above the one before"),
    ("at: 1000000 CNY", "at: 1000000", "an amount in CNY belongs here"),
    ("at: 1000000 CNY", "at: 1000000.50 CNY", "a threshold is a whole number"),
    ("at: 1000000 CNY", "at: 1000000 purchases", "an amount in CNY belongs here"),
    ("level: level_2", "level: level_1", "the level `level_1` is there twice"),
    ("when: {tags: [dealer_level_1]}", "when: {tag: [dealer_level_1]}", "did you mean `tags`?"),
    ("when: {tags: [dealer_level_1]}", "when: {tags: []}", "at least 1 item needed"),
    ("when: {tags: [dealer_level_1]}", "when: {}", "says nothing of whom the level is for"),
    ("  clause: LQ-05\n", "", "the rule names no clause"),
    (
        "measure: amount                          # what was bought, net of what was brought back: what rebates count"
        " as well\n  levels:\n    - {tier: ordinary}\n    - {tier: gold, at: 1000 CNY}\n"
        "    - {tier: platinum, at: 5000 CNY}\n    - {tier: diamond, at: 20000 CNY}\n  ours: [measure, at]\n",
        "measure: growth\n",
        "an amount in growth belongs here",
    ),
]


@cache
def sound() -> dict[str, str]:
    return read_documents(PACK)


def test_the_pack_itself_is_sound() -> None:
    rebates = SECTION.read(from_documents(sound())).rebates

    assert [(level.name, level.clause) for level in rebates.levels] == [("level_1", "LQ-05"), ("level_2", "LQ-05")]


@pytest.mark.parametrize(("there", "instead", "words"), BROKEN)
def test_a_slip_is_told_where_it_stands(there: str, instead: str, words: str) -> None:
    assert there in sound()[FILE], f"{there!r} no longer stands in {FILE}"
    texts = {**sound(), FILE: sound()[FILE].replace(there, instead, 1)}

    with pytest.raises(PolicyRefused) as refused:
        SECTION.read(from_documents(texts))

    assert [problem for problem in refused.value.problems if words in str(problem)], refused.value.problems
    assert all(problem.file == FILE and problem.line > 0 and problem.mend for problem in refused.value.problems)


def test_a_share_needs_money_and_points_are_for_the_whole() -> None:
    counted = sound()[FILE].replace("measure: amount", "measure: count").replace(" CNY", " purchases")
    sliced = sound()[FILE].replace("of: the whole", "of: each bracket").replace("rebate: 4%", "rebate: 9 points")

    for text, words in ((counted, "a share of purchases is no money"), (sliced, "not for a part of what was bought")):
        with pytest.raises(PolicyRefused, match=words):
            SECTION.read(from_documents({**sound(), FILE: text}))
