"""The satisfaction gate: one pure rule that closes a case or opens its next round (CG-16, FR-08)."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class GateRules:
    """What the pack says of answers: which of them close, and what the others do."""

    scale: Mapping[int, str]  # 1 very satisfied … 5 very dissatisfied
    closes: AbstractSet[int]
    raise_by: int
    top: int  # the highest level there is
    clause: str


@dataclass(frozen=True, slots=True)
class Verdict:
    """What an answer brings about. ``level`` is that of the next round, or the present one where the case closes."""

    closes: bool
    level: int
    executive: bool  # the next general-manager meeting has it on its list
    because: str
    clause: str


def gate(satisfaction: int, level: int, rules: GateRules) -> Verdict:
    """Close the case, or open its next round one level up; there is always a next round until the answer is good.

    A dissatisfied answer at the top level goes to the general-manager meeting, and its next round stays at the top.
    """
    word = rules.scale[satisfaction]
    if satisfaction in rules.closes:
        return Verdict(True, level, False, f"the answer {satisfaction} ({word}) closes the case", rules.clause)
    answer = f"the answer {satisfaction} ({word}) opens the next round"
    if level >= rules.top:
        because = f"{answer}; level {level} is the top, so the general-manager meeting has the case on its list"
        return Verdict(False, level, True, because, rules.clause)
    raised = min(level + rules.raise_by, rules.top)
    return Verdict(False, raised, False, f"{answer} at level {raised} instead of {level}", rules.clause)


def gives_up(attempts: int, most: int) -> bool:
    """Whether the customer was tried for the last time: the case then closes as not reached, never as satisfied."""
    return attempts >= most
