"""Measures of one customer over the purchases of the window: each an SQL aggregate and a Python function that agree.

The relation is ``purchases(customer_id, occurred_on, amount, quantity)`` as the package says; a customer without a row
in it has no measures. Purchases that were fully refunded are not in it (decision 23).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from itertools import pairwise
from typing import Any, Literal, NamedTuple

Number = int | float | Decimal


class Purchase(NamedTuple):
    """One row of the relation, without its customer."""

    occurred_on: date
    amount: Decimal
    quantity: Decimal


@dataclass(frozen=True)
class Measure:
    """``sql`` is an aggregate over alias ``p`` of the relation (or ``g`` of its gaps), with bind ``:as_of``.

    ``better`` says which end ranks higher; ``exact`` that sums of it do not depend on order; ``never_null`` that every
    customer with a purchase has it.
    """

    name: str
    meaning: str
    unit: str
    sql: str
    python: Callable[[Sequence[Purchase], date], Number | None]
    better: Literal["more", "less"] = "more"
    exact: bool = True
    never_null: bool = True
    of_gaps: bool = False


MEASURES: dict[str, Measure] = {}


def measure(
    name: str, meaning: str, unit: str, sql: str, **traits: Any
) -> Callable[[Callable[[Sequence[Purchase], date], Number | None]], Callable[..., Any]]:
    """Register a Python form under its name, with the SQL form that must equal it."""

    def register(python: Callable[[Sequence[Purchase], date], Number | None]) -> Callable[..., Any]:
        MEASURES[name] = Measure(name, meaning, unit, sql, python, **traits)
        return python

    return register


@measure("amount", "money spent, net of refunds", "money", "sum(p.amount)")
def amount(purchases: Sequence[Purchase], as_of: date) -> Decimal:
    return sum((purchase.amount for purchase in purchases), Decimal(0))


@measure("quantity", "pieces bought, net of refunds", "pieces", "sum(p.quantity)")
def quantity(purchases: Sequence[Purchase], as_of: date) -> Decimal:
    return sum((purchase.quantity for purchase in purchases), Decimal(0))


@measure("purchases", "number of purchases", "purchases", "count(*)")
def purchases(purchases: Sequence[Purchase], as_of: date) -> int:
    return len(purchases)


@measure("frequency", "number of distinct days with a purchase", "days", "count(distinct p.occurred_on)")
def frequency(purchases: Sequence[Purchase], as_of: date) -> int:
    return len({purchase.occurred_on for purchase in purchases})


@measure(
    "recency",
    "days since the last purchase; fewer rank higher",
    "days",
    "(cast(:as_of as date) - max(p.occurred_on))",
    better="less",
)
def recency(purchases: Sequence[Purchase], as_of: date) -> int:
    return (as_of - max(purchase.occurred_on for purchase in purchases)).days


@measure(
    "since",
    "days since the first purchase of the window",
    "days",
    "(cast(:as_of as date) - min(p.occurred_on))",
)
def since(purchases: Sequence[Purchase], as_of: date) -> int:
    return (as_of - min(purchase.occurred_on for purchase in purchases)).days


@measure(
    "median_amount",
    "median amount of a purchase",
    "money",
    "percentile_cont(0.5) within group (order by p.amount::float8)",
    exact=False,
)
def median_amount(purchases: Sequence[Purchase], as_of: date) -> float:
    return _median([float(purchase.amount) for purchase in purchases])


@measure(
    "median_gap",
    "median number of days between one purchase day and the next; unknown after a single day",
    "days",
    "percentile_cont(0.5) within group (order by g.gap::float8)",
    exact=False,
    never_null=False,
    of_gaps=True,
)
def median_gap(purchases: Sequence[Purchase], as_of: date) -> float | None:
    days = sorted({purchase.occurred_on for purchase in purchases})
    gaps = [float((later - earlier).days) for earlier, later in pairwise(days)]
    return _median(gaps) if gaps else None


def _median(values: list[float]) -> float:
    """As percentile_cont(0.5) does it, to the last bit: low + 0.5 × (high - low)."""
    values = sorted(values)
    low, high = values[(len(values) - 1) // 2], values[len(values) // 2]
    return low + 0.5 * (high - low)


_GAPS = """
    select d.customer_id,
           d.occurred_on - lag(d.occurred_on) over (partition by d.customer_id order by d.occurred_on) as gap
    from (select distinct customer_id, occurred_on from {relation}) d"""


def select_measures(names: Iterable[str], relation: str = "purchases") -> str:
    """SQL: one row per customer of ``relation``, a column per measure; binds ``:as_of`` where a measure counts days.

    ``relation`` is a table, view or CTE name of the caller's own code, never of a pack.
    """
    chosen = [MEASURES[name] for name in dict.fromkeys(names)]
    plain = "".join(f",\n       {each.sql} as {each.name}" for each in chosen if not each.of_gaps)
    base = f"select p.customer_id{plain}\nfrom {relation} p\ngroup by p.customer_id"
    of_gaps = [each for each in chosen if each.of_gaps]
    if not of_gaps:
        return base
    columns = ", ".join(["b.*", *(f"x.{each.name}" for each in of_gaps)])
    gaps = ", ".join(["g.customer_id", *(f"{each.sql} as {each.name}" for each in of_gaps)])
    joined = f"select {gaps} from ({_GAPS.format(relation=relation)}) g group by g.customer_id"  # noqa: S608
    return f"select {columns}\nfrom ({base}) b\njoin ({joined}) x using (customer_id)"


def measures_of(
    names: Iterable[str], purchases_by_customer: Mapping[Any, Sequence[Purchase]], as_of: date
) -> dict[Any, dict[str, Number | None]]:
    """Python: the same rows as select_measures, by customer."""
    chosen = [MEASURES[name] for name in dict.fromkeys(names)]
    return {
        customer: {each.name: each.python(rows, as_of) for each in chosen}
        for customer, rows in purchases_by_customer.items()
        if rows
    }
