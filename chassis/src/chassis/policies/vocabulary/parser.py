"""Text → terms, by recursive descent: sum → product → factor. What it does not know it refuses at its place."""

from __future__ import annotations

import re
from decimal import Decimal

from chassis.policies.reading import suggestion
from chassis.policies.vocabulary.measures import MEASURES, Measure
from chassis.policies.vocabulary.terms import Arithmetic, Constant, Extreme, Mean, PercentRank, Reading, Share, Term

DEEPEST = 16
_TOKEN = re.compile(r"\s*(?:(\d{1,12}(?:\.\d{1,9})?)|([A-Za-z_]\w*)|(.))", re.ASCII)

FUNCTIONS = {
    "pr": "share of the population that ranks below, 0 to 1 (SQL percent_rank; ties share a rank)",
    "percent_rank": "the same as pr, written out",
    "share": "the part of the population's total that is this customer's, 0 to 1",
    "mean": "arithmetic mean of its arguments",
    "max": "the largest of its arguments that are known",
    "min": "the smallest of its arguments that are known",
}


class ExpressionError(Exception):
    """The text is no expression of the vocabulary. ``offset`` counts characters from its beginning."""

    def __init__(self, offset: int, message: str, mend: str) -> None:
        super().__init__(message)
        self.offset, self.message, self.mend = offset, message, mend


class Parser:
    """One pass over one text; ``measures`` collects what it reads."""

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
