"""What complaint.yaml says, as frozen values. Every rule keeps its clause, so that a decision can cite it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from decimal import Decimal

from chassis.policies.company import Company
from chassis.policies.units import Duration

LEVELS = (1, 2, 3)
TYPES = ("complaint", "inquiry", "opinion", "suggestion", "report", "praise")
CHANNELS = ("hotline", "portal", "store_box", "email", "letter", "visit", "message", "regulator")


@dataclass(frozen=True)
class Channels:
    """Ways in. ``anonymous``: no name is needed; ``backdated_by``: roles that may give a past time."""

    accepted: tuple[str, ...]
    anonymous: bool
    backdated_by: frozenset[str]
    clause: str


@dataclass(frozen=True)
class Record:
    """What the form of a case must hold (FR-04)."""

    required: tuple[str, ...]
    clause: str


@dataclass(frozen=True)
class Categories:
    """Group → its sorts. A code is ``group.sort``, or the group alone where it has no sorts."""

    groups: Mapping[str, tuple[str, ...]]
    clause: str

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code a case may carry, in the order of the pack."""
        return tuple(
            code for group, sorts in self.groups.items() for code in ([f"{group}.{sort}" for sort in sorts] or [group])
        )

    def known(self, code: str) -> bool:
        """Whether a case may carry this code."""
        return code in self.codes

    @staticmethod
    def group(code: str) -> str:
        """``product`` of ``product.damaged``."""
        return code.partition(".")[0]

    @staticmethod
    def covers(named: Collection[str], code: str | None) -> bool:
        """Whether a rule that names these groups and codes speaks of a case of this category."""
        return code is not None and (code in named or Categories.group(code) in named)


@dataclass(frozen=True)
class Condition:
    """One item of a level's ``when``; everything it names must hold. Empty and None: it doesn't ask."""

    categories: frozenset[str] = frozenset()  # codes and groups
    channels: frozenset[str] = frozenset()
    value_from: Decimal | None = None  # in the company's currency
    against_roles: frozenset[str] = frozenset()  # the person complained about holds one of them
    insists: bool = False
    repeats_within: Duration | None = None


@dataclass(frozen=True)
class LevelRule:
    """A level, who handles it, and when a case has it: any of the conditions, or always where there are none."""

    level: int
    handler: str
    conditions: tuple[Condition, ...]
    clause: str


@dataclass(frozen=True)
class ClockRule:
    """One kind of clock. ``within``: level → time; empty only for ``promise``, whose date a person gives.

    ``warn_at``: the part of the time after which a warning goes out (0.75). ``starts`` and ``stops`` are actions; for
    the kinds of the house they are known, for others the pack names them. ``recurring``: when met, it begins again.
    """

    kind: str
    within: Mapping[int, Duration]
    recurring: bool
    after: str | None  # the state it begins with, where not at the receipt ("resolved")
    warn_at: Decimal
    clause: str
    starts: tuple[str, ...] = ()
    stops: tuple[str, ...] = ()
    types: frozenset[str] = frozenset()  # only cases of these types; empty: all
    channels: frozenset[str] = frozenset()  # only cases that came this way; empty: all
    escalates: bool = True

    def speaks_of(self, type: str, channel: str) -> bool:
        """Whether a case of this type that came this way has this clock."""
        return (not self.types or type in self.types) and (not self.channels or channel in self.channels)


@dataclass(frozen=True)
class Waiting:
    """Waiting for the customer stops the time of these clocks."""

    pauses: frozenset[str]
    clause: str


@dataclass(frozen=True)
class Escalation:
    """The way up. ``top``: who has what level 3 could not resolve. ``unless``: groups and codes that don't wait."""

    ladder: tuple[str, ...]
    top: str
    waits_for_working_hours: bool
    unless: frozenset[str]
    clause: str

    def above(self, role: str) -> str | None:
        """The next role of the ladder; None at its top. A role that stands nowhere on it begins at the foot."""
        place = self.ladder.index(role) + 1 if role in self.ladder else 0
        return self.ladder[place] if place < len(self.ladder) else None

    def waits(self, category: str | None) -> bool:
        """Whether an escalation of a case of this category waits for the next opening."""
        return self.waits_for_working_hours and not Categories.covers(self.unless, category)


@dataclass(frozen=True)
class Satisfaction:
    """The gate: answers in ``closes`` end the case, others open the next round ``raise_by`` levels up."""

    scale: Mapping[int, str]
    closes: frozenset[int]
    raise_by: int
    new_form: bool
    top: str  # where the top level's dissatisfied go: "general_manager_meeting"
    attempts: int
    clause: str


@dataclass(frozen=True)
class Compensation:
    """``points`` points count as ``worth`` in company money. Limits by role are the company's (``company.roles``)."""

    points: int
    worth: Decimal
    clause: str

    def money(self, points: int) -> Decimal:
        """What so many points count, exactly."""
        return points * self.worth / self.points


@dataclass(frozen=True)
class Repeats:
    """``within``: the same matter again is linked and counts; ``recurrence``: the span before and after a measure."""

    within: Duration
    recurrence: Duration
    clause: str


@dataclass(frozen=True)
class Queue:
    """Among cases of the same urgency, customers of these grades go first, in this order (AD-07)."""

    first: tuple[str, ...]
    clause: str

    def rank(self, grade: str | None) -> int:
        """A grade's place: 0 goes first, whoever has none of them last."""
        return self.first.index(grade) if grade in self.first else len(self.first)


@dataclass(frozen=True)
class Reopening:
    """A closed case may be taken up again by a superior within this time."""

    within: Duration
    clause: str


@dataclass(frozen=True)
class Links:
    """How long a personal link lives, by purpose."""

    follow: Duration
    answer: Duration
    clause: str


@dataclass(frozen=True)
class Kpis:
    """Targets as shares (0.98)."""

    first_contact_on_time: Decimal
    callback_rate: Decimal
    satisfaction: Decimal
    clause: str


@dataclass(frozen=True)
class Reports:
    """``rhythm``: weekly, monthly. Breakdowns by person hide groups smaller than ``least``."""

    rhythm: tuple[str, ...]
    least: int
    clause: str


@dataclass(frozen=True)
class ComplaintPolicy:
    """complaint.yaml, read. ``levels`` descend: the first whose conditions hold is the case's."""

    channels: Channels
    record: Record
    categories: Categories
    levels: tuple[LevelRule, ...]
    clocks: Mapping[str, ClockRule]
    waiting: Waiting
    escalation: Escalation
    satisfaction: Satisfaction
    compensation: Compensation
    repeats: Repeats
    queue: Queue
    reopening: Reopening
    links: Links
    kpis: Kpis
    reports: Reports
    company: Company = field(repr=False)

    def level(self, level: int) -> LevelRule:
        """The rule of a level."""
        return next(rule for rule in self.levels if rule.level == level)
