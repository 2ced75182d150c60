"""What customer.yaml says, as frozen values. Every rule keeps its clause, so that a decision can cite it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal

from chassis.policies.company import Company
from chassis.policies.units import Duration
from chassis.policies.vocabulary.expression import Expression


@dataclass(frozen=True)
class Kind:
    """Individual, enterprise or institution, and the fields that must be known."""

    name: str
    title: Mapping[str, str]
    required: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class Facts:
    """Who collects facts; which are stale when not confirmed for so long."""

    collected_by: tuple[str, ...]
    stale_after: Duration
    clause: str


@dataclass(frozen=True)
class Window:
    """The days every measure looks at: ``span`` up to and including the day before ``as_of``."""

    span: Duration
    net_of_refunds: bool
    leave_out_flagged: bool
    clause: str

    def days(self, as_of: date) -> tuple[date, date]:
        """First and last day, both included."""
        last = as_of - timedelta(days=1)
        return (self.span.earlier(as_of), last)


@dataclass(frozen=True)
class Band:
    """One class: from ``at`` (included) up to the next."""

    name: str
    at: Decimal
    clause: str


@dataclass(frozen=True)
class Scheme:
    """A classification. Exactly one of ``bands``, ``split``, ``attribute``, ``template`` says how.

    ``bands`` fall from the highest threshold; ``split`` is (class, share of the population) from the top.
    """

    name: str
    clause: str
    measure: Expression | None = None
    bands: tuple[Band, ...] = ()
    split: tuple[tuple[str, Decimal], ...] = ()
    within: str | None = None
    ties: tuple[str, ...] = ()
    attribute: str | None = None
    template: str | None = None

    def classes(self) -> tuple[str, ...]:
        """Its closed list of classes; empty for attributes and templates."""
        return tuple(band.name for band in self.bands) or tuple(name for name, _ in self.split)

    def band_of(self, value: Decimal | int) -> Band:
        """The class of a measured value."""
        return next((band for band in self.bands if value >= band.at), self.bands[-1])


@dataclass(frozen=True)
class Level:
    """One grade: from ``at`` of the score; ``quota``: at most this share of the population."""

    name: str
    at: Decimal | None
    quota: Decimal | None
    rights: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class GradeScheme:
    """Grades by a scorecard. ``levels`` fall from the highest; ``otherwise`` is for customers without a purchase."""

    name: str
    score: Expression
    levels: tuple[Level, ...]
    otherwise: str
    ties: tuple[str, ...]
    reviewed: str
    rises: str
    falls: str
    clause: str

    def level_of(self, score: Decimal | None) -> Level:
        """The grade of a score; of None: ``otherwise``."""
        if score is None:
            return self.named(self.otherwise)
        return next((level for level in self.levels if level.at is None or score >= level.at), self.levels[-1])

    def named(self, name: str) -> Level:
        """The level of that name; the lowest for a name this pack no longer knows."""
        return next((level for level in self.levels if level.name == name), self.levels[-1])

    def rank(self, name: str) -> int:
        """0 for the lowest grade, ascending."""
        return len(self.levels) - 1 - self.levels.index(self.named(name))


@dataclass(frozen=True)
class Blacklist:
    """``valid_for`` by scope; None: until lifted."""

    valid_for: Mapping[str, Duration | None]
    reentry_grade: str
    two_persons: bool
    clause: str


@dataclass(frozen=True)
class Visits:
    """Visits by grade or class, and the return visit after a complaint."""

    frequency: Mapping[str, str]
    after_complaint: Duration | None
    clause: str


@dataclass(frozen=True)
class Surveys:
    """How often, how many, along which strata."""

    a_year: int
    sample: Decimal
    strata: tuple[str, ...]
    methods: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class EveryDay:
    """Flags a customer with purchases on ``at_least`` of the last ``of_last`` days."""

    at_least: int
    of_last: int
    clause: str


@dataclass(frozen=True)
class OddAmounts:
    """Flags a card with ``purchases`` or more whose median amount has a robust z beyond ``robust_z``."""

    purchases: int
    robust_z: Decimal
    clause: str


@dataclass(frozen=True)
class Cleaning:
    """Who is flagged and left out of the figures."""

    every_day: EveryDay | None
    odd_amounts: OddAmounts | None


@dataclass(frozen=True)
class Insight:
    """``churned_after``: days without a purchase, as an expression over a customer's own measures."""

    churned_after: Expression
    repeat_days: int
    rfm_groups: int
    clause: str


@dataclass(frozen=True)
class Duplicates:
    """Likeness above which a new customer is refused, or put into the review queue."""

    refuse_above: Decimal
    review_above: Decimal
    clause: str


@dataclass(frozen=True)
class Retention:
    """How long history is kept (None: for ever) and a merge can be undone."""

    history: Duration | None
    unmerge_within: Duration
    clause: str


@dataclass(frozen=True)
class CustomerPolicy:
    """customer.yaml, read."""

    kinds: Mapping[str, Kind]
    facts: Facts
    window: Window
    classifications: Mapping[str, Scheme]
    grades: Mapping[str, GradeScheme]
    service_plans: Mapping[str, Mapping[str, tuple[str, ...]]]
    blacklist: Blacklist
    visits: Visits | None
    surveys: Surveys | None
    cleaning: Cleaning
    insight: Insight
    duplicates: Duplicates
    retention: Retention
    company: Company = field(repr=False)

    @property
    def grade_scheme(self) -> GradeScheme:
        """The scheme that sets a customer's ``grade``: the first of the pack."""
        return next(iter(self.grades.values()))


@dataclass(frozen=True)
class Sanity:
    """Figures beyond these are taken for a slip of the pen."""

    longest_window: int
    largest_band: Decimal
    largest_score: Decimal
