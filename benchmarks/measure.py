"""What the benchmarks share: repeated measurements with their spread, and tables that say floor, bar and aim."""

from __future__ import annotations

import platform
import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Sample:
    """Several measurements of one thing; larger is better unless the table says otherwise."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> str:
        """Lowest to highest."""
        return f"{min(self.values):,.0f}-{max(self.values):,.0f}"

    def __str__(self) -> str:
        return f"{self.median:,.0f}"


def median_of(times: int, measure: Callable[[], float]) -> Sample:
    """Run ``measure`` several times; each call answers one figure."""
    return Sample(tuple(measure() for _ in range(times)))


def rate(count: int, seconds: float) -> float:
    """Things per second."""
    return count / seconds


def quantile(values: Sequence[float], share: float) -> float:
    """The value that so many of the measurements do not exceed: 0.5 the median, 0.99 what one in a hundred does."""
    return sorted(values)[min(len(values) - 1, int(len(values) * share))]


class Table:
    """A plain table on the terminal, aligned, with a title."""

    def __init__(self, title: str, columns: tuple[str, ...]) -> None:
        self.title = title
        self.rows: list[tuple[str, ...]] = [columns]

    def row(self, *cells: object) -> None:
        """Add a line; cells become text as they are."""
        self.rows.append(tuple(map(str, cells)))

    def print(self) -> None:
        """Write it out, the machine named once, because figures without one mean nothing."""
        widths = [max(len(row[column]) for row in self.rows) for column in range(len(self.rows[0]))]
        print(f"\n{self.title}\n{platform.machine()}, Python {platform.python_version()}")
        for index, row in enumerate(self.rows):
            first, *rest = (
                cell.ljust(width) if column == 0 else cell.rjust(width)
                for column, (cell, width) in enumerate(zip(row, widths, strict=True))
            )
            print("  ".join((first, *rest)))
            if index == 0:
                print("  ".join("-" * width for width in widths))
