"""Reading what a member is given for a birthday, purchase or not."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.policies import reading
from chassis.policies.document import Node
from chassis.policies.reading import choice, code, mapping, wrong
from chassis.policies.units import Duration
from loyalty.policy.amounts import whole_points

SOLAR, LUNAR = "solar", "lunar"
ON_THE_DAY, STAYING = "birthday", "stays on the day"  # predicates of the vocabulary


@dataclass(frozen=True)
class BirthdayGrant:
    """``points``, or a ``benefit`` by its code; given on the day, or to who stays on the day.

    ``calendars``: a member who keeps a lunar birthday gets it on that where ``lunar`` is among them.
    """

    points: int
    benefit: str | None
    when: str
    calendars: tuple[str, ...]
    valid_for: Duration | None
    clause: str


def read_birthday_grant(node: Node) -> BirthdayGrant:
    """Either points or a benefit, never both."""
    keys = mapping(node, ("when", "calendars"), ("points", "benefit", "valid_for"), clause=True)
    if keys.sound and ("points" in keys) == ("benefit" in keys):
        wrong(node, "a birthday is given points or a benefit, one of them", "write `points: 50 points` or `benefit: …`")
    if keys.sound and "valid_for" in keys and "benefit" not in keys:
        wrong(keys["valid_for"], "points lapse as the pack's points do", "delete `valid_for`; it is for a benefit")
    points = keys.read("points", whole_points, 0)
    if keys.sound and "points" in keys and points < 1:
        wrong(keys["points"], "nothing is given", "write e.g. 50 points")
    return BirthdayGrant(
        points=points,
        benefit=keys.read("benefit", code, None),
        when=choice(keys["when"], ON_THE_DAY, STAYING),
        calendars=reading.listing(keys["calendars"], lambda item: choice(item, SOLAR, LUNAR), 1),
        valid_for=keys.read("valid_for", reading.span, None),
        clause=keys.clause,
    )
