"""Whom and what a campaign is about: pure.

Who is in the control group is a matter of the campaign's and the member's id alone: the same answer in every process,
for ever, and in SQL as here.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time
from decimal import Decimal
from hashlib import sha256
from typing import Any

from loyalty.earning.domain import Offer, Purchase

TREATED, CONTROL = "treated", "control"
WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_ANYTHING: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Profile:
    """What a segment may ask of a member besides the tier."""

    grade: str | None = None
    classes: Mapping[str, str] | None = None
    tags: frozenset[str] = _ANYTHING


NOBODY = Profile()


@dataclass(frozen=True, slots=True)
class Segment:
    """Members of one of these tiers, one of these grades, one of these tags, and a value of each class; empty: all."""

    tiers: frozenset[str]
    grades: frozenset[str]
    tags: frozenset[str]
    classes: Mapping[str, frozenset[str]]

    @property
    def asks_the_registry(self) -> bool:
        """Whether it takes more than the tier to tell."""
        return bool(self.grades or self.tags or self.classes)

    def holds(self, tier: str, profile: Profile) -> bool:
        """Whether a member belongs to it."""
        if self.tiers and tier not in self.tiers:
            return False
        if self.grades and profile.grade not in self.grades:
            return False
        if self.tags and not self.tags & profile.tags:
            return False
        known = profile.classes or {}
        return all(known.get(scheme) in values for scheme, values in self.classes.items())


@dataclass(frozen=True, slots=True)
class HappyHour:
    """Company time of some days of the week; past midnight when it ends before it begins (the day it began counts)."""

    since: time
    until: time
    weekdays: frozenset[int]  # Monday 0; empty: every day

    def holds(self, local: datetime) -> bool:
        """Whether it is happy hour at this wall-clock time."""
        at, day = local.time(), local.weekday()
        if self.since < self.until:
            inside = self.since <= at < self.until
        else:
            inside = at >= self.since or at < self.until
            day = day if at >= self.since else (day - 1) % 7
        return inside and (not self.weekdays or day in self.weekdays)


@dataclass(frozen=True, slots=True)
class Campaign:
    """A campaign that was started: applies to purchases from ``since`` until just before ``until``."""

    id: str
    code: str
    clause: str
    since: datetime
    until: datetime
    multiplier: Decimal | None
    bonus: int
    segment: Segment
    products: frozenset[str]
    categories: frozenset[str]
    stores: frozenset[str]
    channels: frozenset[str]
    least_total: Decimal
    happy_hour: HappyHour | None
    birthday_month: bool
    control_group: Decimal
    times: int | None
    budgeted: bool

    def concerns(self, purchase: Purchase, local: datetime, born: date | None) -> bool:
        """Whether it is about this purchase, as far as time, place and goods go; ``local``: company time of it."""
        if not self.since <= purchase.occurred_at < self.until or purchase.total < self.least_total:
            return False
        if self.stores and purchase.store not in self.stores:
            return False
        if self.channels and purchase.channel not in self.channels:
            return False
        if self.happy_hour is not None and not self.happy_hour.holds(local):
            return False
        if self.birthday_month and (born is None or born.month != local.month):
            return False
        return self.lines_of(purchase) != _ANYTHING

    def lines_of(self, purchase: Purchase) -> frozenset[int] | None:
        """The places of the lines it is about; None where it is about the whole purchase."""
        if not self.products and not self.categories:
            return None
        return frozenset(
            place
            for place, line in enumerate(purchase.lines)
            if (line["sku"] in self.products or line.get("category") in self.categories) and Decimal(line["amount"]) > 0
        )

    def arm_of(self, customer_id: str) -> str:
        """``control`` for the share of members that gets nothing."""
        return arm(self.id, customer_id, self.control_group)

    def offer(self, purchase: Purchase, customer_id: str, room: int | None) -> Offer:
        """What it promises to this purchase of a member of its segment."""
        withheld = self.arm_of(customer_id) == CONTROL
        return Offer(self.code, self.clause, self.multiplier, self.bonus, self.lines_of(purchase), room, withheld)


def arm(campaign_id: str, customer_id: str, control_group: Decimal) -> str:
    """The arm of a member: the first 32 bits of a SHA-256 of both ids, as a fraction of all."""
    drawn = int.from_bytes(sha256(f"{campaign_id}:{customer_id}".encode()).digest()[:4])
    return CONTROL if drawn < control_group * 2**32 else TREATED


def read_segment(conditions: Mapping[str, Any]) -> Segment:
    """The segment as it is stored."""
    said = conditions.get("segment") or {}
    classes = {scheme: frozenset(values) for scheme, values in (said.get("classes") or {}).items()}
    return Segment(_set(said, "tiers"), _set(said, "grades"), _set(said, "tags"), classes)


def read_campaign(row: Mapping[str, Any]) -> Campaign:
    """A stored campaign that was started."""
    conditions = row["conditions"]
    hour = conditions.get("happy_hour")
    return Campaign(
        id=row["id"],
        code=row["code"],
        clause=row["clause"],
        since=row["runs_from"],
        until=row["runs_until"],
        multiplier=row["multiplier"],
        bonus=row["bonus"] or 0,
        segment=read_segment(conditions),
        products=_set(conditions, "products"),
        categories=_set(conditions, "categories"),
        stores=_set(conditions, "stores"),
        channels=_set(conditions, "channels"),
        least_total=Decimal(conditions.get("least_total") or 0),
        happy_hour=None if hour is None else _happy_hour(hour),
        birthday_month=bool(conditions.get("birthday_month")),
        control_group=row["control_group"],
        times=row["times"],
        budgeted=row["budget"] is not None,
    )


def _happy_hour(said: Mapping[str, Any]) -> HappyHour:
    days = frozenset(WEEKDAYS.index(day) for day in said.get("weekdays") or ())
    return HappyHour(time.fromisoformat(said["from"]), time.fromisoformat(said["until"]), days)


def _set(said: Mapping[str, Any], name: str) -> frozenset[str]:
    return frozenset(said.get(name) or ())
