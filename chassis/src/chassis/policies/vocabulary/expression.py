"""Expressions over measures: `50*pr(amount) + 30*pr(frequency)`, `mean(share(quantity), share(amount))`.

A small parser builds a tree of known operations; each node writes itself as SQL over the columns of select_measures
and computes itself in Python, with the same double-precision steps in the same order. Nothing is ever evaluated as code.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chassis.policies.document import Node
from chassis.policies.problems import Place, note
from chassis.policies.reading import suggestion
from chassis.policies.vocabulary.measures import MEASURES, Measure, Number

Row = Mapping[str, Number | None]
Column = list[float | None]
Bounds = tuple[float, float]

LONGEST = 300
DEEPEST = 16
_TOKEN = re.compile(r"\s*(?:(\d{1,12}(?:\.\d{1,9})?)|([A-Za-z_]\w*)|(.))", re.ASCII)
_SCORE = Decimal("0.000000001")


class ExpressionError(Exception):
    """The text is no expression of the vocabulary. ``offset`` counts characters from its beginning."""

    def __init__(self, offset: int, message: str, mend: str) -> None:
        super().__init__(message)
        self.offset, self.message, self.mend = offset, message, mend


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
_EVERYTHING = (float("-inf"), float("inf"))

FUNCTIONS = {
    "pr": "share of the population that ranks below, 0 to 1 (SQL percent_rank; ties share a rank)",
    "percent_rank": "the same as pr, written out",
    "share": "the part of the population's total that is this customer's, 0 to 1",
    "mean": "arithmetic mean of its arguments",
    "max": "the largest of its arguments that are known",
    "min": "the smallest of its arguments that are known",
}


@dataclass(frozen=True)
class Expression:
    """A parsed expression. ``measures`` are the columns it needs from select_measures."""

    text: str
    root: Term
    measures: tuple[str, ...]

    def __str__(self) -> str:
        return self.text

    def sql(self, partition_by: Sequence[str] = ()) -> str:
        """Double precision over the columns of select_measures; ranks and shares within ``partition_by`` columns."""
        return self.root.sql(f"partition by {', '.join(partition_by)} " if partition_by else "")

    def score_sql(self, partition_by: Sequence[str] = ()) -> str:
        """The same rounded to 9 decimals, so that binary noise never decides between two grades."""
        return f"round(({self.sql(partition_by)})::numeric, 9)"

    def values(self, population: Mapping[Any, Row]) -> dict[Any, float | None]:
        """The Python form for every customer of one population (one partition)."""
        rows = list(population.values())
        return dict(zip(population, self.root.column(rows), strict=True)) if rows else {}

    def scores(self, population: Mapping[Any, Row]) -> dict[Any, Decimal | None]:
        """The Python form of score_sql."""
        return {
            customer: None if value is None else rounded(value) for customer, value in self.values(population).items()
        }

    def bounds(self) -> Bounds:
        """The least and largest value it can take."""
        return self.root.bounds()


def rounded(value: float) -> Decimal:
    """A double as PostgreSQL turns it into numeric (15 significant digits), to 9 decimals."""
    return Decimal(f"{value:.15g}").quantize(_SCORE, ROUND_HALF_UP)


def parse_expression(text: str) -> Expression:
    """Read an expression. Raises ExpressionError."""
    if len(text) > LONGEST:
        raise ExpressionError(0, f"longer than {LONGEST} characters", "shorten the expression")
    parser = _Parser(text)
    root = parser.sum(0)
    parser.end()
    return Expression(text, root, tuple(dict.fromkeys(parser.measures)))


def read_expression(node: Node) -> Expression:
    """An expression of a pack; a fault is noted at its own column."""
    try:
        return parse_expression(node.text if isinstance(node.value, str) else str(node.value or ""))
    except ExpressionError as wrong:
        if not node.absent:
            place = Place(node.place.file, node.place.line, node.place.column + wrong.offset)
            note(place, f"{node.path}: {wrong.message}", wrong.mend)
        return Expression("amount", Reading(MEASURES["amount"]), ("amount",))


class _Parser:
    """Recursive descent: sum → product → factor."""

    def __init__(self, text: str) -> None:
        self.tokens = [
            (found.start(found.lastindex), found[found.lastindex]) for found in _TOKEN.finditer(text) if found.lastindex
        ]
        self.at = 0
        self.length = len(text)
        self.measures: list[str] = []

    def peek(self) -> str:
        return self.tokens[self.at][1] if self.at < len(self.tokens) else ""

    def offset(self) -> int:
        return self.tokens[self.at][0] if self.at < len(self.tokens) else self.length

    def take(self) -> str:
        token = self.peek()
        self.at += 1
        return token

    def expect(self, token: str) -> None:
        if self.peek() != token:
            raise ExpressionError(self.offset(), f"`{token}` is missing{self._before()}", f"write `{token}`")
        self.at += 1

    def _before(self) -> str:
        return f" before `{self.peek()}`" if self.peek() else " at the end"

    def end(self) -> None:
        if self.peek():
            raise ExpressionError(
                self.offset(),
                f"`{self.peek()}` does not belong here",
                "put + - * / between two terms, or delete it",
            )

    def sum(self, depth: int) -> Term:
        if depth > DEEPEST:
            raise ExpressionError(self.offset(), "too many brackets inside each other", "simplify the expression")
        term = self.product(depth)
        while self.peek() in ("+", "-"):
            term = Arithmetic(self.take(), term, self.product(depth))
        return term

    def product(self, depth: int) -> Term:
        term = self.factor(depth)
        while self.peek() in ("*", "/"):
            term = Arithmetic(self.take(), term, self.factor(depth))
        return term

    def factor(self, depth: int) -> Term:
        offset, token = self.offset(), self.take()
        if token[:1].isdigit():
            if self.peek() in ("day", "days"):
                self.at += 1
            return Constant(Decimal(token))
        if token == "(":  # noqa: S105 - a bracket
            term = self.sum(depth + 1)
            self.expect(")")
            return term
        if not token.isidentifier():
            said = f"`{token}` does not belong here" if token else "the expression ends too early"
            raise ExpressionError(
                offset, said, f"use measures ({', '.join(MEASURES)}) and functions ({', '.join(FUNCTIONS)})"
            )
        if self.peek() == "(":
            return self.call(offset, token, depth)
        return Reading(self.measure(offset, token))

    def measure(self, offset: int, name: str) -> Measure:
        if name not in MEASURES:
            mend = "write its argument in brackets" if name in FUNCTIONS else suggestion(name, MEASURES)
            raise ExpressionError(offset, f"`{name}` is no measure", mend)
        self.measures.append(name)
        return MEASURES[name]

    def call(self, offset: int, name: str, depth: int) -> Term:
        if name not in FUNCTIONS:
            raise ExpressionError(offset, f"`{name}` is no function of the vocabulary", suggestion(name, FUNCTIONS))
        self.expect("(")
        term = self.of_population(name) if name in ("pr", "percent_rank", "share") else self.of_terms(name, depth)
        self.expect(")")
        return term

    def of_population(self, name: str) -> Term:
        offset = self.offset()
        measure = self.measure(offset, self.take())
        if not measure.never_null or (name == "share" and not measure.exact):
            raise ExpressionError(
                offset,
                f"{name} of {measure.name} is not defined",
                "use a measure that every buyer has, e.g. amount",
            )
        return Share(measure) if name == "share" else PercentRank(measure)

    def of_terms(self, name: str, depth: int) -> Term:
        terms = [self.sum(depth + 1)]
        while self.peek() == ",":
            self.at += 1
            terms.append(self.sum(depth + 1))
        return Mean(tuple(terms)) if name == "mean" else Extreme(name == "max", tuple(terms))
