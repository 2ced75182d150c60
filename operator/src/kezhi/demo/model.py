"""When people buy and how much they spend: two published models of customer bases, as pure functions of chance.

When: BG/NBD. While alive a customer buys at a rate of their own, gamma(r, alpha) among customers; after every repeat
purchase they leave for good with a probability of their own, beta(a, b) among customers. How much: gamma-gamma. A
customer's purchases scatter around a mean of their own. The parameters are those that the papers estimated from CDNOW,
per week and in dollars:

- Fader, Hardie, Lee: "Counting Your Customers" the Easy Way. Marketing Science 24 (2005) 275-284 (BG/NBD).
- Fader, Hardie, Lee: RFM and CLV: Using Iso-Value Curves for Customer Base Analysis. Journal of Marketing Research 42
  (2005) 415-430 (gamma-gamma).

Ours are the pace and the scale: drinks and snacks are bought more often than compact discs, and in yuan. And a year has
festivals: time itself runs quicker before them, so that sales rise then while the model's totals stay what they are.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import accumulate
from random import Random


@dataclass(frozen=True)
class Frequency:
    """BG/NBD; ``alpha`` in weeks, ``pace``: how many of the paper's weeks pass in one of ours."""

    r: float = 0.243
    alpha: float = 4.414
    a: float = 0.793
    b: float = 2.426
    pace: float = 3.0

    def repeats(self, chance: Random, weeks: float) -> Iterator[float]:
        """Weeks from the first purchase to each repeat of one customer, as far as ``weeks``."""
        rate = chance.gammavariate(self.r, self.pace / self.alpha)
        leaves = chance.betavariate(self.a, self.b)
        at = 0.0
        while rate > 0:
            at += chance.expovariate(rate)
            if at > weeks:
                return
            yield at
            if chance.random() < leaves:
                return

    def expected(self, weeks: float) -> float:
        """How many repeats a new customer makes in so many weeks, on average (equation 9 of the paper)."""
        t = weeks * self.pace
        left = (self.alpha / (self.alpha + t)) ** self.r
        series = hypergeometric(self.r, self.b, self.a + self.b - 1, t / (self.alpha + t))
        return (self.a + self.b - 1) / (self.a - 1) * (1 - left * series)


@dataclass(frozen=True)
class Spending:
    """Gamma-gamma; ``scale``: yuan spent where the paper's customers spent a dollar."""

    p: float = 6.25
    q: float = 3.74
    gamma: float = 15.44
    scale: float = 2.6

    def customer(self, chance: Random) -> float:
        """What makes one customer's purchases large or small; given to ``basket`` each time."""
        return chance.gammavariate(self.q, 1 / self.gamma)

    def basket(self, chance: Random, customer: float) -> float:
        """Yuan of one purchase."""
        return chance.gammavariate(self.p, self.scale / customer)

    @property
    def mean(self) -> float:
        """Yuan of a purchase of anybody, on average."""
        return self.scale * self.p * self.gamma / (self.q - 1)


def hypergeometric(a: float, b: float, c: float, z: float) -> float:
    """Gauss's 2F1 for 0 <= z < 1, summed until its terms no longer count."""
    total = term = 1.0
    for n in range(100_000):
        term *= (a + n) * (b + n) / ((c + n) * (n + 1)) * z
        total += term
        if abs(term) < 1e-12 * abs(total):
            break
    return total


_NEW_YEAR = {
    2024: date(2024, 2, 10), 2025: date(2025, 1, 29), 2026: date(2026, 2, 17), 2027: date(2027, 2, 6),
    2028: date(2028, 1, 26), 2029: date(2029, 2, 13), 2030: date(2030, 2, 3), 2031: date(2031, 1, 23),
}  # fmt: skip


def briskness(day: date) -> float:
    """How brisk trade is on a day, 1 on an ordinary one: Spring Festival, 18 June, 11 November, summer, weekends."""
    brisk = 1.15 if day.weekday() >= 5 else 1.0
    new_year = _NEW_YEAR.get(day.year)
    if new_year and 0 < (new_year - day).days <= 16:
        brisk *= 1.8
    elif new_year and 0 <= (day - new_year).days <= 6:
        brisk *= 0.6  # shops are shut, people are with their families
    if day.month == 6 and 10 <= day.day <= 18:
        brisk *= 1.5
    if day.month == 11 and 1 <= day.day <= 11:
        brisk *= 1.4 + 0.5 * (day.day == 11)
    if day.month in (7, 8):
        brisk *= 1.15
    return brisk


class Season:
    """The calendar of a span, stretched and squeezed: equal parts of trade, not of time, are equally long."""

    def __init__(self, first: date, last: date) -> None:
        """``first`` to ``last``, both included."""
        self.first = first
        self.days = (last - first).days + 1
        self._until = list(accumulate(briskness(first + timedelta(days=number)) for number in range(self.days)))

    @property
    def weeks(self) -> float:
        """How long the span is."""
        return self.days / 7

    def moment(self, share: float) -> float:
        """The day, with its part, by which so much of the span's trade is done: 0 its beginning, 1 its end."""
        wanted = share * self._until[-1]
        day = min(bisect_left(self._until, wanted), self.days - 1)
        before = self._until[day - 1] if day else 0.0
        return day + (wanted - before) / (self._until[day] - before)

    def share(self, moment: float) -> float:
        """The opposite of ``moment``."""
        day = min(max(int(moment), 0), self.days - 1)
        before = self._until[day - 1] if day else 0.0
        return (before + (self._until[day] - before) * (moment - day)) / self._until[-1]
