"""Reading who may change points by hand, and for which reasons."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import code, mapping, table, unless, wrong
from chassis.policies.units import Duration
from loyalty.policy.amounts import whole_points


@dataclass(frozen=True)
class Adjustments:
    """Who may change points by hand: alone up to ``second_person_above``, with a director beyond ``director_above``.

    ``by_role`` are limits of their own, in points, that hold for these roles instead of ``second_person_above``.
    Limits count what the same person changed for the same member ``within`` this time; None: each change alone.
    """

    second_person_above: int
    director_above: int
    clause: str
    by_role: Mapping[str, int] = field(default_factory=dict)
    reasons: tuple[str, ...] = ()
    within: Duration | None = None

    def alone(self, roles: Collection[str]) -> int:
        """The most points that somebody with these roles changes alone: the widest of their limits."""
        return max((self.by_role.get(role, self.second_person_above) for role in roles), default=0)


def read_adjustments(node: Node, company: Company) -> Adjustments:
    """Limits that rise from the role over the second person to the director, and the reason codes."""
    keys = mapping(
        node, ("second_person_above", "director_above", "reasons"), ("by_role", "same_person_within"), clause=True
    )
    second, director = whole_points(keys["second_person_above"]), whole_points(keys["director_above"])
    if keys.sound and director < second:
        wrong(
            keys["director_above"],
            "the director would be asked before the second person",
            "let director_above be the larger",
        )

    def role(item: Node) -> str:
        if item.text not in company.roles:
            wrong(item, f"`{item.text}` is no role of the company", reading.suggestion(item.text, company.roles))
        return item.text

    def limit(item: Node) -> int:
        alone = whole_points(item)
        if keys.sound and alone > director:
            wrong(
                item,
                "the role would decide alone what a director must agree to",
                f"write at most {director} points",
            )
        return alone

    reasons = reading.listing(keys["reasons"], code, 1)
    if keys.sound:
        reading.unique(reading.items(keys["reasons"]), reasons, "reason")
    by_role = keys.read("by_role", lambda rows: table(rows, limit, role), {})
    within = keys.read("same_person_within", lambda item: unless(item, "none", reading.span), None)
    return Adjustments(second, director, keys.clause, by_role, reasons, within)
