"""From when on a purchase is looked at before its points may be spent (ML-05)."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import mapping, unless, wrong
from loyalty.policy.amounts import whole_points


@dataclass(frozen=True)
class Outlier:
    """Worth more than ``times`` the median of the member's purchases before, when these are at least ``after``."""

    times: Decimal
    after: int


@dataclass(frozen=True)
class Fraud:
    """Beyond any of these a purchase earns into a lot under review; None: no such limit."""

    purchases_a_day: int | None
    points_a_day: int | None
    amount_above: Decimal | None
    outlier: Outlier | None
    clause: str
    second_person_above: int | None = None  # points of a purchase that nobody voids alone; None: everybody may

    @property
    def limits(self) -> bool:
        """Whether there is any limit at all."""
        return (self.purchases_a_day, self.points_a_day, self.amount_above, self.outlier) != (None, None, None, None)


NO_LIMITS = Fraud(None, None, None, None, "")


def read_fraud(node: Node, company: Company) -> Fraud:
    keys = mapping(
        node, ("purchases_a_day", "points_a_day"), ("amount_above", "outlier", "second_person_above"), clause=True
    )

    def money(item: Node) -> Decimal:
        return reading.money(item, company.currency).value

    return Fraud(
        purchases_a_day=unless(keys["purchases_a_day"], "none", lambda item: reading.integer(item, 1)),
        points_a_day=unless(keys["points_a_day"], "none", whole_points),
        amount_above=keys.read("amount_above", lambda item: unless(item, "none", money), None),
        outlier=keys.read("outlier", lambda item: unless(item, "none", _outlier), None),
        clause=keys.clause,
        second_person_above=keys.read("second_person_above", lambda item: unless(item, "none", whole_points), None),
    )


def _outlier(node: Node) -> Outlier:
    keys = mapping(node, ("times", "after"))
    after = reading.amount(keys["after"], "purchases")
    if after != int(after) or after < 1:
        wrong(keys["after"], f"`{keys['after'].text}` is no number of purchases", "write e.g. 5 purchases")
    times = reading.number(keys["times"])
    if keys.sound and times <= 1:
        wrong(keys["times"], "the usual purchase would be an outlier", "write a number above 1, e.g. 20")
    return Outlier(times, int(after))
