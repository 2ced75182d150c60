"""What loyalty.yaml says, as frozen values. Every rule keeps its clause, so that a decision can cite it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import ROUND_DOWN, Decimal

from chassis.policies.company import Company
from chassis.policies.units import Duration
from chassis.policies.vocabulary.predicates import Predicate
from loyalty.policy.adjusting import Adjustments
from loyalty.policy.birthdays import BirthdayGrant
from loyalty.policy.campaigns import CampaignRules
from loyalty.policy.catalogue import Catalogue
from loyalty.policy.fraud import Fraud
from loyalty.policy.rebates import Rebates

END_OF_NEXT_YEAR = "end of next year"
ROLLING, CALENDAR_YEAR, ANNIVERSARY_YEAR = "rolling", "calendar year", "anniversary year"
AT_ONCE, AT_PERIOD_END, ONE_LEVEL = "at once", "at period end", "one level at period end"
THIS_PERIOD, NEXT_PERIOD = "the period", "the next period"


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
    growth_counts: str = "growth"  # what a purchase adds to growth value: the measure of the tiers


@dataclass(frozen=True)
class Right:
    """What a tier may ask for: ``times`` in a calendar ``per`` (None: as often as they like), ``when`` it applies."""

    name: str
    times: int | None
    per: str | None
    when: Predicate | None
    clause: str


@dataclass(frozen=True)
class Tier:
    """``at``: growth value in the window from which it is held; ``bonus``: fraction of base points (0.10)."""

    name: str
    at: int
    bonus: Decimal
    clause: str
    rights: tuple[str, ...] = ()
    benefits: tuple[Right, ...] = ()  # the same rights, with how often


@dataclass(frozen=True)
class TierRules:
    """``tiers`` ascend by ``at``; the first is held by everybody. ADR 18 says how the words combine.

    ``period``: rolling, calendar year or anniversary year; ``window`` is how long one lasts. ``kept_for``: a duration
    for a rolling window, else "the period" or "the next period"; ``grace`` is added to whatever ends.
    """

    measure: str
    window: Duration
    rises: str
    kept_for: Duration | str
    falls: str
    notice: Duration
    tiers: tuple[Tier, ...]
    clause: str
    period: str = ROLLING
    grace: Duration | None = None

    def reached(self, measure: int | Decimal) -> Tier:
        """The highest tier whose threshold ``measure`` reaches."""
        return next(tier for tier in reversed(self.tiers) if measure >= tier.at)

    def named(self, name: str) -> Tier:
        """The tier of that name; the first for a name this pack no longer knows."""
        return next((tier for tier in self.tiers if tier.name == name), self.tiers[0])

    def rank(self, name: str) -> int:
        """0 for the first tier, ascending."""
        return self.tiers.index(self.named(name))

    def below(self, tier: Tier) -> Tier:
        """The tier one level lower; the first one has none but itself."""
        return self.tiers[max(self.tiers.index(tier) - 1, 0)]


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

    def off_the_bill(self, points: int) -> Decimal:
        """What they take off a bill: whole cents, never more than they are worth."""
        return self.money(points).quantize(Decimal("0.01"), ROUND_DOWN)


@dataclass(frozen=True)
class Reward:
    """Points for something other than a purchase."""

    points: int
    clause: str
    to: tuple[str, ...] = ()
    after_purchase_of: Decimal | None = None


@dataclass(frozen=True)
class Expiry:
    """Notices ahead of expiry, and how long points cancelled after their expiry stay usable."""

    notices: tuple[Duration, ...]
    grace_after_cancelling: Duration | None
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
    birthday_grant: BirthdayGrant | None
    redemption: Redemption
    rewards: Mapping[str, Reward]
    catalogue: Catalogue
    adjustments: Adjustments
    expiry: Expiry
    fraud: Fraud
    campaigns: CampaignRules | None  # None: this company runs none
    rebates: Rebates | None  # None: this company gives none
    company: Company = field(repr=False)


@dataclass(frozen=True)
class Sanity:
    """Figures beyond these are taken for a slip of the pen."""

    bonus: Decimal
    multiplier: Decimal
    points_per_unit: Decimal
    point_worth: Decimal
    rebate: Decimal
