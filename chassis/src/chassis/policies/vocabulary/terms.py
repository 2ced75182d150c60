"""The terms an expression is built of. Each writes itself as SQL and computes itself in Python, step for step alike.

``over`` is the window's ``partition by … `` or nothing; columns are those of select_measures, in double precision.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from chassis.policies.vocabulary.measures import Measure, Number

Row = Mapping[str, Number | None]
Column = list[float | None]
Bounds = tuple[float, float]

_EVERYTHING = (float("-inf"), float("inf"))


@dataclass(frozen=True)
class Constant:
    """A number; `90 days` is the number 90."""

    value: Decimal

    def sql(self, over: str) -> str:
        return f"{self.value}::float8"

    def column(self, rows: Sequence[Row]) -> Column:
        return [float(self.value)] * len(rows)

    def bounds(self) -> Bounds:
        return float(self.value), float(self.value)


@dataclass(frozen=True)
class Reading:
    """A measure by its name."""

    measure: Measure

    def sql(self, over: str) -> str:
        return f"{self.measure.name}::float8"

    def column(self, rows: Sequence[Row]) -> Column:
        return [None if (value := row[self.measure.name]) is None else float(value) for row in rows]

    def bounds(self) -> Bounds:
        return 0.0, float("inf")


@dataclass(frozen=True)
class PercentRank:
    """The share of the population that ranks below: SQL's percent_rank, 0 to 1, ties share a rank."""

    measure: Measure

    def sql(self, over: str) -> str:
        direction = "desc" if self.measure.better == "less" else "asc"
        return f"percent_rank() over ({over}order by {self.measure.name} {direction})"

    def column(self, rows: Sequence[Row]) -> Column:
        sign = -1 if self.measure.better == "less" else 1
        values = [sign * row[self.measure.name] for row in rows]  # type: ignore[operator]
        ordered = sorted(values)
        if len(ordered) == 1:
            return [0.0]
        return [float(bisect_left(ordered, value)) / float(len(ordered) - 1) for value in values]

    def bounds(self) -> Bounds:
        return 0.0, 1.0


@dataclass(frozen=True)
class Share:
    """The part of the population's total that is this customer's."""

    measure: Measure

    def sql(self, over: str) -> str:
        name = self.measure.name
        return f"({name}::float8 / nullif((sum({name}) over ({over.rstrip()}))::float8, 0))"

    def column(self, rows: Sequence[Row]) -> Column:
        values = [row[self.measure.name] for row in rows]
        total = float(sum(values))  # type: ignore[arg-type]
        return [None if total == 0 else float(value) / total for value in values]  # type: ignore[arg-type]

    def bounds(self) -> Bounds:
        return 0.0, 1.0


@dataclass(frozen=True)
class Arithmetic:
    """Two terms and + - * /. What is unknown stays unknown; dividing by nothing is unknown."""

    sign: str
    left: Term
    right: Term

    def sql(self, over: str) -> str:
        right = self.right.sql(over)
        return f"({self.left.sql(over)} {self.sign} {f'nullif({right}, 0)' if self.sign == '/' else right})"

    def column(self, rows: Sequence[Row]) -> Column:
        return [self._one(a, b) for a, b in zip(self.left.column(rows), self.right.column(rows), strict=True)]

    def _one(self, left: float | None, right: float | None) -> float | None:
        if left is None or right is None or (self.sign == "/" and right == 0):
            return None
        match self.sign:
            case "+":
                return left + right
            case "-":
                return left - right
            case "*":
                return left * right
        return left / right

    def bounds(self) -> Bounds:
        (a, b), (c, d) = self.left.bounds(), self.right.bounds()
        if self.sign == "/":
            return (a / d if d else 0.0, b / c if c else float("inf")) if a >= 0 and c >= 0 else _EVERYTHING
        if self.sign == "*":
            corners = [x * y if x and y else 0.0 for x in (a, b) for y in (c, d)]
            return min(corners), max(corners)
        return (a + c, b + d) if self.sign == "+" else (a - d, b - c)


@dataclass(frozen=True)
class Mean:
    """The arithmetic mean of its arguments."""

    terms: tuple[Term, ...]

    def sql(self, over: str) -> str:
        summed = self.terms[0].sql(over)
        for term in self.terms[1:]:
            summed = f"({summed} + {term.sql(over)})"
        return f"({summed} / {len(self.terms)}::float8)"

    def column(self, rows: Sequence[Row]) -> Column:
        means: Column = []
        for values in zip(*(term.column(rows) for term in self.terms), strict=True):
            total: float | None = values[0]
            for value in values[1:]:
                total = None if total is None or value is None else total + value
            means.append(None if total is None else total / float(len(values)))
        return means

    def bounds(self) -> Bounds:
        lows, highs = zip(*(term.bounds() for term in self.terms), strict=True)
        return sum(lows) / len(lows), sum(highs) / len(highs)


@dataclass(frozen=True)
class Extreme:
    """The largest or smallest of its arguments that are known."""

    largest: bool
    terms: tuple[Term, ...]

    def sql(self, over: str) -> str:
        return f"{'greatest' if self.largest else 'least'}({', '.join(term.sql(over) for term in self.terms)})"

    def column(self, rows: Sequence[Row]) -> Column:
        pick: Callable[[list[float]], float] = max if self.largest else min
        columns = zip(*(term.column(rows) for term in self.terms), strict=True)
        known = ([value for value in values if value is not None] for values in columns)
        return [pick(values) if values else None for values in known]

    def bounds(self) -> Bounds:
        pick: Callable[..., float] = max if self.largest else min
        lows, highs = zip(*(term.bounds() for term in self.terms), strict=True)
        return pick(lows), pick(highs)


Term = Constant | Reading | PercentRank | Share | Arithmetic | Mean | Extreme
