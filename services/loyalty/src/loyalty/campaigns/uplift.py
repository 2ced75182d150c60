"""Treated against control: the difference of two means with its interval. Pure arithmetic, no library.

Welch's t interval, because the arms differ in size and may differ in variance. The quantile of Student's t comes from
that of the normal distribution by its expansion in 1/df (Abramowitz & Stegun 26.7.5), right to 0.01 from 4 degrees of
freedom on.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import sqrt
from statistics import NormalDist

CONFIDENCE = 0.95
METHOD = "difference of mean net spend per listed member, Welch's t interval"


@dataclass(frozen=True, slots=True)
class Arm:
    """The members of one arm: how many, and mean and variance (n - 1) of what each spent."""

    members: int
    mean: float
    variance: float


@dataclass(frozen=True, slots=True)
class Uplift:
    """What a treated member spent more than one of the control group: between ``low`` and ``high``."""

    difference: float
    low: float
    high: float
    relative: float | None  # of the control group's mean; None: it spent nothing

    @property
    def shown(self) -> bool:
        """Whether the interval leaves no effect out."""
        return not self.low <= 0 <= self.high


def uplift(treated: Arm, control: Arm, confidence: float = CONFIDENCE) -> Uplift | None:
    """The uplift with its interval; None where an arm has fewer than two members, so that nothing is known."""
    if treated.members < 2 or control.members < 2:
        return None
    parts = (treated.variance / treated.members, control.variance / control.members)
    error, difference = sqrt(sum(parts)), treated.mean - control.mean
    half = 0.0
    if error:
        freedom = sum(parts) ** 2 / (parts[0] ** 2 / (treated.members - 1) + parts[1] ** 2 / (control.members - 1))
        half = error * student(1 - (1 - confidence) / 2, freedom)
    relative = difference / control.mean if control.mean else None
    return Uplift(difference, difference - half, difference + half, relative)


def student(p: float, freedom: float) -> float:
    """The quantile of Student's t."""
    z = NormalDist().inv_cdf(p)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom**power for power, term in enumerate(terms, 1))
