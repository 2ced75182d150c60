"""Expressions over measures: `50*pr(amount) + 30*pr(frequency)`, `mean(share(quantity), share(amount))`.

A small parser builds a tree of known operations; each node writes itself as SQL over the columns of select_measures
and computes itself in Python, in double precision, by the same steps in the same order. Nothing is evaluated as code.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from chassis.policies.document import Node
from chassis.policies.problems import Place, note
from chassis.policies.vocabulary.measures import MEASURES
from chassis.policies.vocabulary.parser import FUNCTIONS, ExpressionError, Parser
from chassis.policies.vocabulary.terms import Bounds, Reading, Row, Term

LONGEST = 300
_SCORE = Decimal("0.000000001")


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
    parser = Parser(text)
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


__all__ = ["FUNCTIONS", "Expression", "ExpressionError", "parse_expression", "read_expression", "rounded"]
