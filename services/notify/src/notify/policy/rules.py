"""What notify.yaml says, as frozen values. Every rule keeps its clause, so that a decision can cite it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import time
from typing import Any, Literal

from chassis.policies.company import Company
from chassis.policies.units import Duration

CLASSES = ("service", "care", "marketing")
CHANNELS = ("sms", "email", "webhook", "inbox", "call_task")
# Whom an event's own data name: a member of it holds a username, or the customer.
PEOPLE = ("handler", "previous_handler", "account_manager", "receiver", "by")
RECIPIENTS = ("customer", "complainant", "superior", *PEOPLE)
GIVEN, MISSING = "given", "missing"
ALWAYS, UNLESS_WITHDRAWN, REQUIRED = "always", "unless withdrawn", "required"


@dataclass(frozen=True)
class QuietHours:
    """Between ``starts`` and ``ends`` in the recipient's time zone these channels wait."""

    starts: time
    ends: time
    channels: frozenset[str]
    spares_urgent: bool
    clause: str


@dataclass(frozen=True)
class FrequencyCaps:
    """At most so many messages of a class to one customer ``within``; a class without a number has no cap."""

    within: Duration
    most: Mapping[str, int]
    clause: str


@dataclass(frozen=True)
class ConsentRules:
    """By class: ``always``, ``unless withdrawn`` or ``required``."""

    needed: Mapping[str, str]
    clause: str


@dataclass(frozen=True)
class ClassesHeld:
    """Classes that something keeps back, and the clause it rests on."""

    classes: frozenset[str]
    clause: str


@dataclass(frozen=True)
class NeverTo:
    """Classes that customers of a standing do not get; routes that the law asks for reach the blacklisted."""

    blacklisted: frozenset[str]
    erased: frozenset[str]
    clause: str


@dataclass(frozen=True)
class Recipient:
    """One place of a route's ``to``: somebody the event names, whoever holds a role, or an address."""

    kind: Literal["named", "role", "address"]
    value: str  # of RECIPIENTS, a role, an address
    channel: str | None = None  # address only

    def plain(self) -> Any:
        """As it is written in a pack or a body."""
        if self.kind == "named":
            return self.value
        return {"role": self.value} if self.kind == "role" else {"address": self.value, "channel": self.channel}


@dataclass(frozen=True)
class Route:
    """An event is told to somebody. ``event`` without its version; ``channels`` empty: the pack's order."""

    name: str
    event: str
    to: tuple[Recipient, ...]
    class_: str
    template: str
    when: Mapping[str, Any] = field(default_factory=dict)
    channels: tuple[str, ...] = ()
    urgent: bool = False
    by_law: bool = False
    clause: str | None = None


@dataclass(frozen=True)
class ChannelRules:
    """Which way first, how often again, and until when."""

    order: tuple[str, ...]
    staff: tuple[str, ...]
    retries: int
    retry_after: Duration
    retry_at_most: Duration
    keep: Mapping[str, Duration]
    clause: str


@dataclass(frozen=True)
class CarePlan:
    """A scheduled goodwill: what it is for, its days, its class."""

    name: str
    on: tuple[str, ...]
    class_: str
    clause: str
    leap_day: str | None = None


@dataclass(frozen=True)
class NotifyPolicy:
    """notify.yaml, read."""

    quiet_hours: QuietHours
    frequency: FrequencyCaps
    consent: ConsentRules
    complaint_open: ClassesHeld
    never_to: NeverTo
    care_plans: tuple[CarePlan, ...]
    routes: tuple[Route, ...]
    channels: ChannelRules
    sender: Mapping[str, str]  # locale → the name under which the company writes
    company: Company = field(repr=False)
