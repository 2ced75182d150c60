"""The loyalty rules of a policy pack, as the rest of the service reads them. All numbers live in the pack.

Every rule keeps the clause it stands under, so that a decision can cite it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import (
    Keys,
    choice,
    code,
    integer,
    mapping,
    number,
    share,
    table,
    text,
    unless,
    wrong,
)
from chassis.policies.section import PolicySection
from chassis.policies.units import Duration, parse_duration
from chassis.policies.vocabulary.predicates import Predicate, read_predicate

END_OF_NEXT_YEAR = "end of next year"
REFUND_MODES = ("only_pending", "within_balance", "unlimited")


@dataclass(frozen=True)
class Participation:
    """Who is a member, and from when."""

    enrolment: str  # "automatic at registration" or "on request"
    kinds: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class Currency:
    """Points or growth value. ``pending`` None: available at once; ``expires`` None: never."""

    name: str
    pending: Duration | None
    expires: str | Duration | None
    spent: bool
    clause: str

    def available_at(self, occurred_at: datetime, company: Company) -> datetime:
        """When what was earned at ``occurred_at`` may be spent."""
        return self.pending.after(occurred_at, company.time_zone) if self.pending else occurred_at

    def expires_at(self, occurred_at: datetime, company: Company) -> datetime | None:
        """The instant it lapses: the first one after its last day in company time."""
        if self.expires is None:
            return None
        day = company.day_of(occurred_at)
        if isinstance(self.expires, Duration):
            return company.end_of(self.expires.later(day))
        return company.end_of(date(day.year + 1, 12, 31))


@dataclass(frozen=True)
class Exclusions:
    """What earns nothing."""

    categories: frozenset[str] = frozenset()
    products: frozenset[str] = frozenset()
    stores: frozenset[str] = frozenset()
    channels: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Caps:
    """Most points of one purchase, day and month; None: no cap."""

    purchase: int | None = None
    day: int | None = None
    month: int | None = None


@dataclass(frozen=True)
class EarnRules:
    """Base earning: floor(total × rate × points), per purchase. ``base`` is by currency (`points`, `growth`)."""

    base: Mapping[str, Decimal]
    rates: Mapping[str, Decimal]  # money currency → factor on its number; 1 for those not listed
    by_category: Mapping[str, Decimal]
    by_product: Mapping[str, Decimal]
    by_store: Mapping[str, Decimal]
    by_channel: Mapping[str, Decimal]
    rounding: str  # "down" or "half up"
    least_total: Decimal  # totals at or below earn nothing
    exclusions: Exclusions
    caps: Caps
    clause: str


@dataclass(frozen=True)
class Tier:
    """``at``: growth value in the window from which it is held; ``bonus``: fraction of base points (0.10)."""

    name: str
    at: int
    bonus: Decimal
    clause: str
    rights: tuple[str, ...] = ()


@dataclass(frozen=True)
class TierRules:
    """``tiers`` ascend by ``at``; the first is held by everybody."""

    measure: str
    window: Duration
    rises: str
    kept_for: Duration
    falls: str
    notice: Duration
    tiers: tuple[Tier, ...]
    clause: str

    def reached(self, measure: int | Decimal) -> Tier:
        """The highest tier whose threshold ``measure`` reaches."""
        return next(tier for tier in reversed(self.tiers) if measure >= tier.at)

    def named(self, name: str) -> Tier:
        """The tier of that name; the first for a name this pack no longer knows."""
        return next((tier for tier in self.tiers if tier.name == name), self.tiers[0])

    def rank(self, name: str) -> int:
        """0 for the first tier, ascending."""
        return self.tiers.index(self.named(name))


@dataclass(frozen=True)
class Birthday:
    """Extra base on a birthday: ``multiplier`` 2 doubles the base of the purchases it ``applies_to``."""

    when: Predicate
    multiplier: Decimal
    applies_to: str  # "first purchase of the month" or "every purchase"
    clause: str


@dataclass(frozen=True)
class Redemption:
    """``points`` points are worth ``worth`` in company money."""

    points: int
    worth: Decimal
    hold_for: Duration
    clause: str

    def money(self, points: int) -> Decimal:
        """What so many points are worth, exactly."""
        return points * self.worth / self.points


@dataclass(frozen=True)
class Reward:
    """Points for something other than a purchase."""

    points: int
    clause: str
    to: tuple[str, ...] = ()
    after_purchase_of: Decimal | None = None


@dataclass(frozen=True)
class Adjustments:
    """Who may change points by hand: alone up to ``second_person_above``, with a director beyond ``director_above``."""

    second_person_above: int
    director_above: int
    clause: str


@dataclass(frozen=True)
class Expiry:
    """Notices ahead of expiry, and how long points cancelled after their expiry stay usable."""

    notices: tuple[Duration, ...]
    grace_after_cancelling: Duration | None
    clause: str


@dataclass(frozen=True)
class Fraud:
    """Beyond these a lot is put under review; None: no limit."""

    purchases_a_day: int | None
    points_a_day: int | None
    clause: str


@dataclass(frozen=True)
class LoyaltyPolicy:
    """loyalty.yaml, read."""

    participation: Participation
    points: Currency
    growth: Currency
    earning: EarnRules
    refund_mode: str
    refund_clause: str
    tiers: TierRules
    birthday: Birthday | None
    redemption: Redemption
    rewards: Mapping[str, Reward]
    adjustments: Adjustments
    expiry: Expiry
    fraud: Fraud
    company: Company = field(repr=False)


def load(node: Node, company: Company) -> LoyaltyPolicy:
    """Read loyalty.yaml; faults are noted."""
    keys = mapping(
        node,
        (
            "participation",
            "currencies",
            "earning",
            "refunds",
            "tiers",
            "redemption",
            "adjustments",
            "expiry",
            "sanity",
        ),
        ("birthday", "rewards", "fraud"),
    )
    sanity = _sanity(keys["sanity"], company)
    currencies = mapping(keys["currencies"], ("points", "growth"), clause=True)
    refunds = mapping(keys["refunds"], ("mode",), clause=True)
    earning = _earning(keys["earning"], company, sanity)
    return LoyaltyPolicy(
        participation=_participation(keys["participation"]),
        points=_currency(currencies["points"], "points", currencies.clause),
        growth=_currency(currencies["growth"], "growth", currencies.clause),
        earning=earning,
        refund_mode=choice(refunds["mode"], *REFUND_MODES),
        refund_clause=refunds.clause,
        tiers=_tiers(keys["tiers"], sanity, earning),
        birthday=keys.read("birthday", lambda birthday: _birthday(birthday, sanity), None),
        redemption=_redemption(keys["redemption"], company, sanity),
        rewards=keys.read(
            "rewards", lambda rewards: table(rewards, lambda item: _reward(item, company), code), {}
        ),
        adjustments=_adjustments(keys["adjustments"]),
        expiry=_expiry(keys["expiry"]),
        fraud=keys.read("fraud", _fraud, Fraud(None, None, "")),
        company=company,
    )


@dataclass(frozen=True)
class Sanity:
    """Figures beyond these are taken for a slip of the pen."""

    bonus: Decimal
    multiplier: Decimal
    points_per_unit: Decimal
    point_worth: Decimal


def _sanity(node: Node, company: Company) -> Sanity:
    keys = mapping(node, ("bonus", "multiplier", "points_per_unit", "point_worth"))
    read = Sanity(
        share(keys["bonus"], 1000),
        number(keys["multiplier"], 1),
        number(keys["points_per_unit"]),
        reading.money(keys["point_worth"], company.currency).value,
    )
    return read if keys.sound else Sanity(*[Decimal(10**12)] * 4)


def _participation(node: Node) -> Participation:
    keys = mapping(node, ("enrolment", "kinds"), clause=True)
    enrolment = choice(keys["enrolment"], "automatic at registration", "on request")
    return Participation(enrolment, reading.listing(keys["kinds"], code, 1), keys.clause)


def _currency(node: Node, name: str, clause: str) -> Currency:
    keys = mapping(node, ("pending", "expires", "spent"))
    pending = unless(
        keys["pending"], "none", lambda item: reading.duration(item, ("minute", "hour", *reading.CALENDAR))
    )
    expires = keys["expires"]
    lapse = END_OF_NEXT_YEAR if expires.text == END_OF_NEXT_YEAR else unless(expires, "never", _lapse)
    return Currency(name, pending, lapse, reading.boolean(keys["spent"]), keys.clause or clause)


def _lapse(node: Node) -> str | Duration:
    if parse_duration(node.text) is None:
        wrong(
            node,
            f"`{node.text}` is no expiry",
            f"write `{END_OF_NEXT_YEAR}`, `never`, or a duration such as `12 months`",
        )
        return END_OF_NEXT_YEAR
    return reading.span(node)


def _earning(node: Node, company: Company, sanity: Sanity) -> EarnRules:
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
        least_total=keys.read(
            "least_total", lambda item: reading.money(item, company.currency).value, Decimal(0)
        ),
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
    return Exclusions(
        *(frozenset(keys.read(name, lambda rows: reading.listing(rows, text), ())) for name in names)
    )


def _caps(node: Node) -> Caps:
    keys = mapping(node, (), ("purchase", "day", "month"))
    caps = Caps(
        *(
            keys.read(name, lambda item: unless(item, "none", _points), None)
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


def _points(node: Node) -> int:
    value = reading.amount(node, "points")
    if value != int(value):
        wrong(node, "points are whole", "write e.g. 100 points")
    return int(value)


def _tiers(node: Node, sanity: Sanity, earning: EarnRules) -> TierRules:
    keys = mapping(node, ("measure", "window", "rises", "kept_for", "falls", "notice", "levels"), clause=True)
    measure = choice(keys["measure"], "growth", "amount", "purchases")
    tiers = reading.listing(keys["levels"], lambda item: _tier(item, measure, keys.clause, sanity), 1)
    if keys.sound:
        _reachable(keys["levels"], tiers, measure, earning)
    return TierRules(
        measure=measure,
        window=reading.span(keys["window"]),
        rises=choice(keys["rises"], "at once", "at review"),
        kept_for=reading.span(keys["kept_for"]),
        falls=choice(keys["falls"], "at period end", "one level at period end", "never"),
        notice=reading.span(keys["notice"]),
        tiers=tuple(sorted(tiers, key=lambda tier: tier.at)),
        clause=keys.clause,
    )


def _tier(node: Node, measure: str, clause: str, sanity: Sanity) -> Tier:
    keys = mapping(node, ("tier",), ("at", "bonus", "rights"))
    bonus = keys.read("bonus", lambda item: share(item, 1000), Decimal(0))
    if bonus > sanity.bonus:
        cap = f"{(sanity.bonus * 100).normalize():f}%"
        wrong(
            keys["bonus"],
            f"a bonus of {keys['bonus'].text} is above the pack's own sanity cap of {cap}",
            "is a decimal point missing? Else raise sanity.bonus",
        )
    at = keys.read("at", lambda item: reading.amount(item, measure), Decimal(0))
    return Tier(
        code(keys["tier"]),
        int(at),
        bonus,
        keys.clause or clause,
        keys.read("rights", lambda rows: reading.listing(rows, code), ()),
    )


def _reachable(node: Node, tiers: tuple[Tier, ...], measure: str, earning: EarnRules) -> None:
    nodes = list(reading.items(node))
    reading.unique(nodes, [tier.name for tier in tiers], "tier")
    if not any(tier.at == 0 for tier in tiers):
        wrong(
            node, "no tier begins at nothing: a new member would have none", "add a first tier without `at`"
        )
    seen: dict[int, str] = {}
    for item, tier in zip(nodes, tiers, strict=True):
        if tier.at in seen:
            wrong(
                item,
                f"`{tier.name}` can never be held: `{seen[tier.at]}` begins at {tier.at} as well",
                "give each tier its own threshold",
            )
        seen[tier.at] = tier.name
        if tier.at > 0 and measure == "growth" and not earning.base["growth"]:
            wrong(
                item,
                f"`{tier.name}` cannot be reached: purchases earn no growth value",
                "set earning.base.growth above 0",
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


def _birthday(node: Node, sanity: Sanity) -> Birthday:
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


def _redemption(node: Node, company: Company, sanity: Sanity) -> Redemption:
    keys = mapping(node, ("points", "worth", "hold_for"), clause=True)
    points, worth = _points(keys["points"]), reading.money(keys["worth"], company.currency).value
    if keys.sound and points < 1:
        wrong(keys["points"], "nothing cannot be redeemed", "write e.g. 100 points")
    elif keys.sound and worth / points > sanity.point_worth:
        wrong(
            keys["worth"],
            f"one point would be worth {worth / points:.4f}, above the pack's own sanity cap of {sanity.point_worth}",
            "is a decimal point missing? Else raise sanity.point_worth",
        )
    return Redemption(
        max(points, 1), worth, reading.duration(keys["hold_for"], ("minute", "hour", "day")), keys.clause
    )


def _reward(node: Node, company: Company) -> Reward:
    keys = mapping(node, ("points",), ("to", "after_purchase_of"), clause=True)
    to = keys.read(
        "to", lambda rows: reading.listing(rows, lambda item: choice(item, "referrer", "referred")), ()
    )
    after = keys.read("after_purchase_of", lambda item: reading.money(item, company.currency).value, None)
    return Reward(_points(keys["points"]), keys.clause, to, after)


def _adjustments(node: Node) -> Adjustments:
    keys = mapping(node, ("second_person_above", "director_above"), clause=True)
    second, director = _points(keys["second_person_above"]), _points(keys["director_above"])
    if keys.sound and director < second:
        wrong(
            keys["director_above"],
            "the director would be asked before the second person",
            "let director_above be the larger",
        )
    return Adjustments(second, director, keys.clause)


def _expiry(node: Node) -> Expiry:
    keys = mapping(node, ("notices",), ("grace_after_cancelling",), clause=True)
    grace = keys.read("grace_after_cancelling", lambda item: unless(item, "none", reading.span), None)
    return Expiry(reading.listing(keys["notices"], reading.span), grace, keys.clause)


def _fraud(node: Node) -> Fraud:
    keys = mapping(node, ("purchases_a_day", "points_a_day"), clause=True)
    purchases = unless(keys["purchases_a_day"], "none", lambda item: integer(item, 1))
    return Fraud(purchases, unless(keys["points_a_day"], "none", _points), keys.clause)


SECTION = PolicySection("loyalty", load)
