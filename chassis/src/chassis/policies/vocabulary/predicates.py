"""Predicates: yes-or-no questions that a pack may ask of one customer or stay, each in SQL and in Python.

SQL forms are over named columns; Python forms take the same names. NULL and None answer no.
"""

from __future__ import annotations

import calendar
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import date
from typing import Any

from chassis.policies.document import Node
from chassis.policies.reading import suggestion, wrong


@dataclass(frozen=True)
class Predicate:
    """``phrase`` is what a pack writes, ``facts`` the columns it asks for; ``sql`` is over exactly those columns."""

    phrase: str
    meaning: str
    facts: tuple[str, ...]
    sql: str
    holds: Callable[..., bool]

    def ask(self, facts: Mapping[str, Any]) -> bool:
        """The Python form on one row of facts."""
        values = [facts[name] for name in self.facts]
        return all(value is not None for value in values) and self.holds(*values)


PREDICATES: dict[str, Predicate] = {}


def predicate(phrase: str, meaning: str, sql: str, *facts: str) -> Callable[[Callable[..., bool]], Callable[..., bool]]:
    """Register a Python form under its phrase, with the SQL form that must equal it."""

    def register(holds: Callable[..., bool]) -> Callable[..., bool]:
        PREDICATES[phrase] = Predicate(phrase, meaning, facts, f"coalesce({sql}, false)", holds)
        return holds

    return register


def celebrated(birthday: date, year: int) -> date:
    """The day a birthday is kept in a year: 29 February falls on the 28th in common years."""
    last = calendar.monthrange(year, birthday.month)[1]
    return date(year, birthday.month, min(birthday.day, last))


# make_date over the month's own last day, as celebrated() does it.
_CELEBRATED = (
    "make_date(extract(year from {on})::int, extract(month from birthday)::int, least(extract(day from birthday)::int,"
    " extract(day from (make_date(extract(year from {on})::int, extract(month from birthday)::int, 1)"
    " + interval '1 month - 1 day'))::int))"
)


@predicate(
    "birthday month",
    "the day lies in the month of the birthday",
    'extract(month from birthday) = extract(month from "on")',
    "birthday",
    "on",
)
def birthday_month(birthday: date, on: date) -> bool:
    return birthday.month == on.month


@predicate(
    "birthday",
    "the day is the birthday; 29 February is kept on the 28th in common years",
    f'{_CELEBRATED.format(on=chr(34) + "on" + chr(34))} = "on"',
    "birthday",
    "on",
)
def birthday_itself(birthday: date, on: date) -> bool:
    return celebrated(birthday, on.year) == on


@predicate(
    "stays on the day",
    "the guest's stay, first to last day, holds the birthday",
    f"({_CELEBRATED.format(on='stay_from')} between stay_from and stay_until"
    f" or {_CELEBRATED.format(on='stay_until')} between stay_from and stay_until)",
    "birthday",
    "stay_from",
    "stay_until",
)
def stays_on_the_day(birthday: date, stay_from: date, stay_until: date) -> bool:
    days = (celebrated(birthday, stay_from.year), celebrated(birthday, stay_until.year))
    return any(stay_from <= day <= stay_until for day in days)


@predicate("is a person", "the customer is an individual", "kind = 'individual'", "kind")
def is_a_person(kind: str) -> bool:
    return kind == "individual"


@predicate(
    "is an organisation",
    "the customer is an enterprise or institution",
    "kind in ('enterprise', 'institution')",
    "kind",
)
def is_an_organisation(kind: str) -> bool:
    return kind in ("enterprise", "institution")


@predicate(
    "bought before",
    "the customer bought on an earlier day",
    'first_purchase_on < "on"',
    "first_purchase_on",
    "on",
)
def bought_before(first_purchase_on: date, on: date) -> bool:
    return first_purchase_on < on


def read_predicate(node: Node) -> Predicate:
    """A predicate by its phrase."""
    phrase = node.text if isinstance(node.value, str) else ""
    if phrase not in PREDICATES:
        wrong(node, f"`{node.text}` is no predicate of the vocabulary", suggestion(node.text, PREDICATES))
        return PREDICATES["birthday"]
    return PREDICATES[phrase]
