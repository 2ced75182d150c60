"""Who does something in which period of the year: drawn once, four bytes each, so that every period knows it.

A customer is a pure function of their number (``customers``, ``purchases``); without this plan each period would have
to draw all of them again, only to find that most stay at home.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right
from collections.abc import Callable, Sequence
from datetime import datetime

from kezhi.demo.customers import customer
from kezhi.demo.purchases import LONGEST_RETURN, Year, moments


class Plan:
    """Numbers of customers by period: ``registers[p]`` come for period ``p``, ``buys[p]`` buy or return in it."""

    def __init__(
        self, count: int, year: Year, ends: Sequence[datetime], seed: int, drawn: Callable[[int], None]
    ) -> None:
        """``ends``: the first instant of the year, then the end of each period; ``drawn`` hears how far it is."""
        periods = len(ends) - 1
        self.registers = [array("I") for _ in range(periods)]
        self.buys = [array("I") for _ in range(periods)]
        length = (ends[-1] - ends[0]) / periods
        for number in range(1, count + 1):
            one = customer(number, seed)
            self.registers[min(int(one.since * (ends[-1] - ends[0]) / length), periods - 1)].append(number)
            busy: set[int] = set()
            for _, at in moments(one, year, seed):
                busy.update(min(max(bisect_right(ends, day) - 1, 0), periods - 1) for day in (at, at + LONGEST_RETURN))
            for period in sorted(busy):
                self.buys[period].append(number)
            if number % 500 == 0:
                drawn(number)
