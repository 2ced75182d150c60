"""What dealers are given back of what they bought in a period, by their level and by how much it was (LQ-05)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING

from chassis.policies import reading
from chassis.policies.document import Node
from chassis.policies.reading import choice, code, mapping, share, table, text, wrong
from chassis.policies.units import Duration
from loyalty.policy.amounts import whole_points

if TYPE_CHECKING:
    from chassis.policies.company import Company
    from loyalty.policy.rules import Sanity, TierRules

MONTH, QUARTER, YEAR = "month", "quarter", "year"
WHOLE, EACH_BRACKET = "the whole", "each bracket"


@dataclass(frozen=True)
class Bracket:
    """From ``at`` on, in the measure of the tiers: a ``share`` of it (0.02), or so many ``points`` once."""

    at: int
    share: Decimal
    points: int


@dataclass(frozen=True)
class RebateLevel:
    """Whom it is for (a value of each class, one of the grades, one of the tags), and what they get.

    ``brackets`` ascend by ``at``; below the first one there is nothing.
    """

    name: str
    tags: frozenset[str]
    grades: frozenset[str]
    classes: Mapping[str, frozenset[str]]
    brackets: tuple[Bracket, ...]
    clause: str


@dataclass(frozen=True)
class Rebates:
    """``of`` the whole: the bracket that is reached counts for all of it; of each bracket: every one for its own part.

    A period (month, quarter or year of the company's calendar) is settled once ``paid`` has passed since its end.
    ``measure`` is the tiers': growth, amount or count; ``unit`` is what it is counted in.
    """

    every: str
    paid: Duration
    of: str
    levels: tuple[RebateLevel, ...]
    clause: str
    measure: str
    unit: str


def read_rebates(node: Node, tiers: TierRules, sanity: Sanity, company: Company) -> Rebates:
    """The levels in the order they are tried; faults are noted."""
    keys = mapping(node, ("every", "paid", "of", "levels"), clause=True)
    unit = {"growth": "growth", "amount": company.currency, "count": "purchases"}[tiers.measure]
    of = choice(keys["of"], WHOLE, EACH_BRACKET)

    def level(item: Node) -> RebateLevel:
        return _level(item, unit, of, tiers.measure, keys.clause, sanity)

    levels = reading.listing(keys["levels"], level, 1)
    reading.unique(reading.items(keys["levels"]), [each.name for each in levels], "level")
    return Rebates(
        every=choice(keys["every"], MONTH, QUARTER, YEAR),
        paid=reading.span(keys["paid"]),
        of=of,
        levels=levels,
        clause=keys.clause,
        measure=tiers.measure,
        unit=unit,
    )


def _level(node: Node, unit: str, of: str, measure: str, clause: str, sanity: Sanity) -> RebateLevel:
    keys = mapping(node, ("level", "when", "brackets"))
    when = mapping(keys["when"], (), ("tags", "grades", "classes"), marks=False)

    def words(item: Node) -> frozenset[str]:
        return frozenset(reading.listing(item, text, 1))

    tags, grades = (when.read(name, words, frozenset()) for name in ("tags", "grades"))
    classes = when.read("classes", lambda rows: table(rows, words, least=1), {})
    if when.sound and not (tags or grades or classes):
        wrong(keys["when"], "it says nothing of whom the level is for", "write e.g. {tags: [dealer_level_1]}")
    brackets = reading.listing(keys["brackets"], lambda item: _bracket(item, unit, of, measure, sanity), 1)
    if keys.sound:
        _ascending(list(reading.items(keys["brackets"])), brackets)
    return RebateLevel(code(keys["level"]), tags, grades, classes, brackets, keys.clause or clause)


def _bracket(node: Node, unit: str, of: str, measure: str, sanity: Sanity) -> Bracket:
    """`{at: 100000 CNY, rebate: 2%}`, or `{at: 20 purchases, rebate: 500 points}`."""
    keys = mapping(node, ("at", "rebate"))
    at, said = reading.amount(keys["at"], unit), keys["rebate"]
    if at != int(at):
        wrong(keys["at"], "a threshold is a whole number", f"write e.g. 100000 {unit}")
    if not said.text.endswith("points"):
        if keys.sound and measure != "amount":
            wrong(said, f"a share of {unit} is no money", "write e.g. `500 points`, or set tiers.measure to amount")
        given = share(said)
        if given > sanity.rebate:
            wrong(
                said,
                f"{said.text} is above the pack's own sanity cap of {(sanity.rebate * 100).normalize():f}%",
                "is a decimal point missing? Else raise sanity.rebate",
            )
        return Bracket(int(at), given, 0)
    if of == EACH_BRACKET:
        wrong(said, "points are given once, not for a part of what was bought", f"write a share, or `of: {WHOLE}`")
    return Bracket(int(at), Decimal(0), whole_points(said))


def _ascending(nodes: Sequence[Node], brackets: Sequence[Bracket]) -> None:
    for item, below, bracket in zip(nodes[1:], brackets, brackets[1:], strict=False):
        if bracket.at <= below.at:
            wrong(item, f"the bracket at {bracket.at} does not lie above the one before", "let brackets ascend")
        elif (bracket.share, bracket.points) < (below.share, below.points) or (
            bool(bracket.points) != bool(below.points)
        ):
            wrong(item, "who buys more would be given less", "let rebates rise with the brackets, all shares or points")
