"""What a purchase is worth, and why: pure. The figures come from the pack, the order of the steps from here.

base → tier bonus → birthday → campaigns → caps; each step is floored apart and names its clause, so that the sum of the
breakdown is the answer to "why 37 points?".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from decimal import ROUND_FLOOR, ROUND_HALF_UP, Decimal
from typing import Any

from loyalty.policy.rules import Birthday, EarnRules, Exclusions, Tier

ZERO = Decimal(0)


@dataclass(slots=True)
class Purchase:
    """A purchase as it was told, read once. ``name`` is the identity it came under; empty: an anonymous sale."""

    purchase_id: str
    name: str
    occurred_at: datetime
    currency: str
    total: Decimal
    lines: list[dict[str, Any]]
    store: str | None
    channel: str | None
    content: str  # digest of what was told
    delivery: Any = None
    waited: bool = False  # taken out of the waiting room: whoever sent it was told "accepted" long ago


Taken = tuple[Purchase, str, str]  # purchase, customer id, transaction id


@dataclass(frozen=True, slots=True)
class Offer:
    """What a campaign promises to one purchase: a multiple of the base of these lines, or a bonus."""

    campaign: str
    clause: str
    multiplier: Decimal | None
    bonus: int
    lines: frozenset[int] | None = None  # places of the lines it is about; None: the whole purchase
    room: int | None = None  # points its budget leaves; None: it has no budget
    withheld: bool = False  # the member is in its control group


@dataclass(frozen=True, slots=True)
class Gift:
    """What a campaign gave; a lot of its own, so that what it cost is known to the point."""

    campaign: str
    points: int


@dataclass(slots=True)
class Worth:
    """Points and growth value of a purchase with their breakdown; ``weights`` for refunds by line, if lines differ.

    ``gifts`` are part of ``points``; ``uncounted`` are the places of lines that count for no growth value.
    """

    points: int
    growth: int
    breakdown: list[dict[str, Any]]
    weights: list[list[str]] | None = None
    gifts: Sequence[Gift] = ()
    uncounted: Sequence[int] = ()


def base_of(purchase: Purchase, rules: EarnRules) -> tuple[Decimal, Decimal, list[list[str]] | None]:
    """Unrounded base points and growth value, and the weight of each line where lines earn differently."""
    factor = rules.rates.get(purchase.currency)
    if not uniform(rules):
        return _by_line(purchase, rules, factor or Decimal(1))
    total = purchase.total if factor is None else purchase.total * factor
    return total * rules.base["points"], total * rules.base["growth"], None


def uniform(rules: EarnRules) -> bool:
    """Whether every unit of money earns the same, whatever was bought and where."""
    special = rules.by_category or rules.by_product or rules.by_store or rules.by_channel
    left_out = rules.exclusions
    return not (special or left_out.categories or left_out.products or left_out.stores or left_out.channels)


def _by_line(purchase: Purchase, rules: EarnRules, factor: Decimal) -> tuple[Decimal, Decimal, list[list[str]]]:
    out = rules.exclusions
    here = rules.by_store.get(purchase.store or "", rules.by_channel.get(purchase.channel or "", rules.base["points"]))
    nothing_here = _excluded_here(purchase, out)
    points = growth = ZERO
    weights: list[list[str]] = []
    lines = purchase.lines or [{"sku": "", "amount": purchase.total}]
    for line in lines:
        amount = Decimal(line["amount"]) * factor
        category, sku = line.get("category"), line["sku"]
        excluded = nothing_here or _excluded(line, out)
        rate = ZERO if excluded else rules.by_product.get(sku, rules.by_category.get(category or "", here))
        points += amount * rate
        growth += ZERO if excluded else amount * rules.base["growth"]
        weights.append([sku, str(line["amount"]), str(rate)])
    return points, growth, weights


def _excluded_here(purchase: Purchase, out: Exclusions) -> bool:
    return purchase.store in out.stores or purchase.channel in out.channels


def _excluded(line: dict[str, Any], out: Exclusions) -> bool:
    return line.get("category") in out.categories or line["sku"] in out.products


def rounded(value: Decimal, rules: EarnRules) -> int:
    """Whole points, by the pack's rounding."""
    return int(value.quantize(Decimal(1), ROUND_HALF_UP if rules.rounding == "half up" else ROUND_FLOOR))


def value(
    purchase: Purchase,
    rules: EarnRules,
    tier: Tier,
    birthday: Birthday | None,
    room: int | None = None,
    offers: Sequence[Offer] = (),
) -> Worth:
    """The worth of a purchase by a member of ``tier``; ``birthday`` when its extra base is due to this purchase.

    ``room`` is what the caps of the day and month still leave; None: no such cap. ``offers`` of campaigns add up,
    each on the base alone.
    """
    if purchase.total <= rules.least_total:
        return Worth(0, 0, [_step("base", 0, 0, rules.clause, f"{purchase.total} earns nothing")])
    raw, raw_growth, weights = base_of(purchase, rules)
    base = int(raw) if rules.rounding == "down" else rounded(raw, rules)
    growth = int(raw_growth) if rules.rounding == "down" else rounded(raw_growth, rules)
    if rules.growth_counts == "count":
        growth = int(raw_growth > 0)  # one purchase is one, however much of it earns
    base, growth = max(base, 0), max(growth, 0)
    breakdown = [_step("base", base, growth, rules.clause, f"of {purchase.total} {purchase.currency}")]
    points = base
    if tier.bonus:
        bonus = int(base * tier.bonus)
        points += bonus
        breakdown.append(_step(f"tier bonus {tier.name}", bonus, 0, tier.clause, f"{percent(tier.bonus)} of {base}"))
    if birthday is not None:
        extra = int(base * (birthday.multiplier - 1))
        points += extra
        breakdown.append(_step("birthday", extra, 0, birthday.clause, f"base x {birthday.multiplier}"))
    gifts: list[Gift] = []
    if offers:
        own = 1 + tier.bonus + (birthday.multiplier - 1 if birthday else 0)  # what one point of base comes to
        gifts, weights = _gifts(purchase, rules, base, offers, weights, own, breakdown)
        points += sum(gift.points for gift in gifts)
    for what, cap in (("purchase", rules.caps.purchase), ("day and month", room)):
        if cap is not None and points > cap:
            breakdown.append(_step(f"cap per {what}", cap - points, 0, rules.clause, f"at most {cap}"))
            gifts = _cut(gifts, points - cap)
            points = cap
    out = [place for place, line in enumerate(purchase.lines) if _excluded(line, rules.exclusions)] if weights else ()
    return Worth(points, growth, breakdown, weights, gifts, out)


def _gifts(
    purchase: Purchase,
    rules: EarnRules,
    base: int,
    offers: Sequence[Offer],
    weights: list[list[str]] | None,
    own: Decimal,
    breakdown: list[dict[str, Any]],
) -> tuple[list[Gift], list[list[str]] | None]:
    """What each offer comes to, with its step of the breakdown, and the weights of lines that it makes unequal."""
    gifts, rows = [], None
    for offer in offers:
        rule = f"campaign {offer.campaign}"
        if offer.withheld:
            breakdown.append(_step(rule, 0, 0, offer.clause, "in the control group, which gets nothing"))
            continue
        on = base if offer.lines is None else _base_of_lines(purchase, rules, weights, offer.lines)
        promised = (offer.bonus if on else 0) if offer.multiplier is None else int(on * (offer.multiplier - 1))
        given = promised if offer.room is None else min(promised, offer.room)
        detail = f"bonus of {offer.bonus}" if offer.multiplier is None else f"base {on} x {offer.multiplier}"
        if given < promised:
            detail += f", of {promised} as far as its budget goes"
        breakdown.append(_step(rule, given, 0, offer.clause, detail))
        if not given:
            continue
        gifts.append(Gift(offer.campaign, given))
        if offer.lines is not None:
            rows = rows or _lines_by_worth(purchase, rules, weights, own)
            amount = sum((Decimal(purchase.lines[place]["amount"]) for place in offer.lines), ZERO)
            for place in offer.lines:
                rows[place][2] = str(Decimal(rows[place][2]) + given / amount)
    return gifts, rows or weights


def _base_of_lines(
    purchase: Purchase, rules: EarnRules, weights: list[list[str]] | None, places: frozenset[int]
) -> int:
    """The base of some lines alone, rounded as the whole is."""
    factor = rules.rates.get(purchase.currency) or Decimal(1)
    raw = ZERO
    for place in places:
        rate = Decimal(weights[place][2]) if weights else rules.base["points"]
        raw += Decimal(purchase.lines[place]["amount"]) * factor * rate
    return max(rounded(raw, rules), 0)


def _lines_by_worth(
    purchase: Purchase, rules: EarnRules, weights: list[list[str]] | None, own: Decimal
) -> list[list[str]]:
    """Points by unit of money of each line before campaigns: what a refund of that line alone takes back."""
    factor = rules.rates.get(purchase.currency) or Decimal(1)
    rates = [Decimal(rate) for _, _, rate in weights] if weights else [rules.base["points"]] * len(purchase.lines)
    return [
        [line["sku"], str(line["amount"]), str(rate * factor * own)]
        for line, rate in zip(purchase.lines, rates, strict=True)
    ]


def _cut(gifts: Sequence[Gift], excess: int) -> list[Gift]:
    """Gifts came last, so a cap falls on them first, the last one foremost."""
    left = []
    for gift in reversed(gifts):
        lost = min(gift.points, excess)
        excess -= lost
        if gift.points > lost:
            left.append(Gift(gift.campaign, gift.points - lost))
    return left[::-1]


def percent(share: Decimal) -> str:
    """0.10 → ``10 %``."""
    return f"{(share * 100).normalize():f} %"


def birthday_due(birthday: Birthday | None, born: date | None, on: date) -> bool:
    """Whether a purchase on that company day falls under the birthday rule."""
    return birthday is not None and born is not None and birthday.when.ask({"birthday": born, "on": on})


def _step(rule: str, points: int, growth: int, clause: str, detail: str) -> dict[str, Any]:
    return {"rule": rule, "points": points, "growth": growth, "clause": clause, "detail": detail}
