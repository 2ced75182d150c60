"""Reading the tiers: each can be reached, none is a slip of the pen, and its rights can be counted."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import choice, code, mapping, share, unless, wrong
from chassis.policies.units import Duration
from chassis.policies.vocabulary.predicates import Predicate, read_predicate
from loyalty.policy.rules import (
    ANNIVERSARY_YEAR,
    AT_ONCE,
    AT_PERIOD_END,
    CALENDAR_YEAR,
    NEXT_PERIOD,
    ONE_LEVEL,
    ROLLING,
    THIS_PERIOD,
    EarnRules,
    Right,
    Sanity,
    Tier,
    TierRules,
)

MEASURES = ("growth", "amount", "count")
RIGHT_FACTS = frozenset({"birthday", "on", "stay_from", "stay_until"})  # what is known when a right is used


def read_tiers(node: Node, sanity: Sanity, earning: EarnRules, company: Company) -> TierRules:
    """The tiers, ascending by their thresholds; faults are noted."""
    keys = mapping(
        node, ("measure", "window", "rises", "kept_for", "falls", "notice", "levels"), ("grace",), clause=True
    )
    measure = choice(keys["measure"], *MEASURES)
    unit = {"growth": "growth", "amount": company.currency, "count": "purchases"}[measure]
    levels = reading.listing(keys["levels"], lambda item: _tier(item, unit, keys.clause, sanity), 1)
    period, window = _window(keys["window"])
    rises = choice(keys["rises"], AT_ONCE, AT_PERIOD_END)
    kept_for = _kept_for(keys["kept_for"], period)
    if keys.sound:
        _reachable(keys["levels"], levels, measure, earning)
    if keys.sound and rises == AT_PERIOD_END:
        _ends(keys["rises"], period, kept_for)
    return TierRules(
        measure=measure,
        window=window,
        rises=rises,
        kept_for=kept_for,
        falls=choice(keys["falls"], "at period end", ONE_LEVEL, "never"),
        notice=reading.span(keys["notice"]),
        tiers=tuple(sorted(levels, key=lambda tier: tier.at)),
        clause=keys.clause,
        period=period,
        grace=keys.read("grace", lambda item: unless(item, "none", reading.span), None),
    )


def counted_by(earning: EarnRules, tiers: TierRules) -> EarnRules:
    """The earn rules with what a purchase adds to growth value: the measure of the tiers."""
    return replace(earning, growth_counts=tiers.measure)


def _window(node: Node) -> tuple[str, Duration]:
    if node.text in (CALENDAR_YEAR, ANNIVERSARY_YEAR):
        return node.text, Duration(1, "year")
    return ROLLING, reading.span(node)


def _kept_for(node: Node, period: str) -> Duration | str:
    if node.text not in (THIS_PERIOD, NEXT_PERIOD):
        kept = reading.span(node)
        if period != ROLLING:
            wrong(node, f"tiers of a {period} are kept until a period ends", f"write `{NEXT_PERIOD}`")
        return kept
    if period == ROLLING:
        wrong(node, "a rolling window has no periods", "write a duration such as `365 days`, or another window")
        return Duration(1, "year")
    return node.text


def _ends(node: Node, period: str, kept_for: Duration | str) -> None:
    if period == ROLLING:
        wrong(node, "a rolling window never ends", f"write `{AT_ONCE}`, or `window: {CALENDAR_YEAR}`")
    elif kept_for != NEXT_PERIOD:
        wrong(
            node, "a tier that is reached when the period ends is held in the next", f"write `kept_for: {NEXT_PERIOD}`"
        )


def _tier(node: Node, unit: str, clause: str, sanity: Sanity) -> Tier:
    keys = mapping(node, ("tier",), ("at", "bonus", "rights"), clause=False)
    bonus = keys.read("bonus", lambda item: share(item, 1000), Decimal(0))
    if bonus > sanity.bonus:
        cap = f"{(sanity.bonus * 100).normalize():f}%"
        wrong(
            keys["bonus"],
            f"a bonus of {keys['bonus'].text} is above the pack's own sanity cap of {cap}",
            "is a decimal point missing? Else raise sanity.bonus",
        )
    at = keys.read("at", lambda item: reading.amount(item, unit), Decimal(0))
    if at != int(at):
        wrong(keys["at"], "a threshold is a whole number", f"write e.g. 1000 {unit}")
    own = keys.clause or clause
    rights = keys.read("rights", lambda rows: reading.listing(rows, lambda item: _right(item, own)), ())
    if rights:
        reading.unique(reading.items(keys["rights"]), [right.name for right in rights], "right")
    return Tier(code(keys["tier"]), int(at), bonus, own, tuple(right.name for right in rights), rights)


def _right(node: Node, clause: str) -> Right:
    """`welcome_gift`, or `{right: free_upgrade, times: 4, per: year, when: …}` where it is counted."""
    if not isinstance(node.value, dict):
        return Right(code(node), None, None, None, clause)
    keys = mapping(node, ("right",), ("times", "per", "when"))
    times = keys.read("times", lambda item: reading.integer(item, 1, 1000), None)
    per = keys.read("per", lambda item: choice(item, "year", "month"), None)
    if keys.sound and (times is None) != (per is None):
        wrong(node, "`times` and `per` go together", "write `times: 2, per: year`")
    return Right(code(keys["right"]), times, per, keys.read("when", _occasion, None), keys.clause or clause)


def _occasion(node: Node) -> Predicate:
    asked = read_predicate(node)
    if missing := sorted(set(asked.facts) - RIGHT_FACTS):
        wrong(
            node, f"`{node.text}` asks for {', '.join(missing)}, which nobody tells when a right is used", "delete it"
        )
    return asked


def _reachable(node: Node, tiers: tuple[Tier, ...], measure: str, earning: EarnRules) -> None:
    nodes = list(reading.items(node))
    reading.unique(nodes, [tier.name for tier in tiers], "tier")
    if not any(tier.at == 0 for tier in tiers):
        wrong(node, "no tier begins at nothing: a new member would have none", "add a first tier without `at`")
    seen: dict[int, str] = {}
    for item, tier in zip(nodes, tiers, strict=True):
        if tier.at in seen:
            wrong(
                item,
                f"`{tier.name}` can never be held: `{seen[tier.at]}` begins at {tier.at} as well",
                "give each tier its own threshold",
            )
        seen[tier.at] = tier.name
        if tier.at > 0 and not earning.base["growth"]:
            wrong(
                item,
                f"`{tier.name}` cannot be reached: purchases earn no growth value",
                "set earning.base.growth above 0",
            )
        elif tier.at > 0 and measure != "growth" and earning.base["growth"] != 1:
            wrong(
                item,
                f"`{measure}` counts what was bought, not {earning.base['growth']} times of it",
                "set earning.base.growth to 1, or measure: growth",
            )
    previous = Decimal(0)
    for item, tier in sorted(zip(nodes, tiers, strict=True), key=lambda pair: pair[1].at):
        if tier.bonus < previous:
            wrong(
                item,
                f"`{tier.name}` earns a smaller bonus than the tier below it",
                "let bonuses rise with the tiers",
            )
        previous = max(previous, tier.bonus)
