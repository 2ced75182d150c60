"""Reading what a purchase earns: nothing is a slip of the pen."""

from __future__ import annotations

from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import choice, mapping, number, table, text, unless, wrong
from chassis.policies.vocabulary.predicates import read_predicate
from loyalty.policy.amounts import whole_points
from loyalty.policy.rules import Birthday, Caps, EarnRules, Exclusions, Sanity


def read_earning(node: Node, company: Company, sanity: Sanity) -> EarnRules:
    keys = mapping(
        node,
        ("base", "rounding"),
        ("rates", "by_category", "by_product", "by_store", "by_channel", "least_total", "exclusions", "caps"),
        clause=True,
    )

    def rate(item: Node) -> Decimal:
        earned = number(item)
        if earned > sanity.points_per_unit:
            wrong(
                item,
                f"{earned} per unit is above the pack's own sanity cap of {sanity.points_per_unit}",
                "is a decimal point missing? Else raise sanity.points_per_unit",
            )
        return earned

    def rates(key: str) -> dict[str, Decimal]:
        return keys.read(key, lambda rows: table(rows, rate), {})

    base = mapping(keys["base"], ("points",), ("growth",))
    return EarnRules(
        base={"points": rate(base["points"]), "growth": base.read("growth", rate, Decimal(0))},
        rates=keys.read(
            "rates",
            lambda rows: table(rows, lambda item: number(item, Decimal("0.000001")), _currency_code),
            {},
        ),
        by_category=rates("by_category"),
        by_product=rates("by_product"),
        by_store=rates("by_store"),
        by_channel=rates("by_channel"),
        rounding=choice(keys["rounding"], "down", "half up"),
        least_total=keys.read("least_total", lambda item: reading.money(item, company.currency).value, Decimal(0)),
        exclusions=keys.read("exclusions", _exclusions, Exclusions()),
        caps=keys.read("caps", _caps, Caps()),
        clause=keys.clause,
    )


def _currency_code(node: Node) -> str:
    if not (len(node.text) == 3 and node.text.isascii() and node.text.isupper()):
        wrong(node, f"`{node.text}` is no currency code", "write three capitals: USD")
    return node.text


def _exclusions(node: Node) -> Exclusions:
    names = ("categories", "products", "stores", "channels")
    keys = mapping(node, (), names)
    return Exclusions(*(frozenset(keys.read(name, lambda rows: reading.listing(rows, text), ())) for name in names))


def _caps(node: Node) -> Caps:
    keys = mapping(node, (), ("purchase", "day", "month"))
    caps = Caps(
        *(
            keys.read(name, lambda item: unless(item, "none", whole_points), None)
            for name in ("purchase", "day", "month")
        )
    )
    given = [cap for cap in (caps.purchase, caps.day, caps.month) if cap is not None]
    if keys.sound and given != sorted(given):
        wrong(
            node,
            "a cap of a longer span is below one of a shorter span and would hide it",
            "let purchase ≤ day ≤ month",
        )
    return caps


def read_birthday(node: Node, sanity: Sanity) -> Birthday:
    keys = mapping(node, ("when", "base", "applies_to"), clause=True)
    said = keys["base"].text
    factor = Decimal(said[2:]) if said.startswith("x ") and said[2:].replace(".", "", 1).isdigit() else None
    if factor is None or factor < 1:
        wrong(keys["base"], f"`{said}` is no multiplier", "write `x 2`")
        factor = Decimal(1)
    elif factor > sanity.multiplier:
        wrong(
            keys["base"],
            f"x {factor} is above the pack's own sanity cap of x {sanity.multiplier}",
            "is a decimal point missing? Else raise sanity.multiplier",
        )
    applies_to = choice(keys["applies_to"], "first purchase of the month", "every purchase")
    return Birthday(read_predicate(keys["when"]), factor, applies_to, keys.clause)
