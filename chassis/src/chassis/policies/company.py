"""The company section of `pack.yaml`: what every service reads beside its own file (decision 21)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from functools import cache
from zoneinfo import ZoneInfo, available_timezones

from chassis.policies import reading
from chassis.policies.document import Node
from chassis.policies.reading import Keys, choice, code, duration, mapping, table, text, wrong
from chassis.policies.units import Amount, Duration

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
UNLIMITED = "unlimited"


@dataclass(frozen=True)
class WorkingHours:
    """When the company is open on its working days. ``days`` are ISO weekdays less one (Monday 0)."""

    days: frozenset[int]
    opens: time
    closes: time
    breaks: tuple[tuple[time, time], ...]


@dataclass(frozen=True)
class CompanyCalendar:
    """Which days are working days: a published holiday table, and the company's own exceptions."""

    holidays: str  # "china" or "none"
    closed: frozenset[date]
    open: frozenset[date]


@dataclass(frozen=True)
class Role:
    """A role and what it may decide on its own. ``compensation`` None: no limit; Decimal(0): nothing."""

    name: str
    title: Mapping[str, str]
    compensation: Decimal | None


@dataclass(frozen=True)
class EventWindow:
    """How far ``occurred_at`` of an inbound event may lie from now (decision 10)."""

    back: Duration
    ahead: Duration

    def contains(self, occurred_at: datetime, now: datetime, zone: ZoneInfo) -> bool:
        """Whether an event of that time is taken, seen at ``now`` (both aware)."""
        return self.back.before(now, zone) <= occurred_at <= self.ahead.after(now, zone)


@dataclass(frozen=True)
class Company:
    """Time, money and people of the company that the pack governs."""

    time_zone: ZoneInfo
    currency: str
    calendar: CompanyCalendar
    working_hours: WorkingHours
    roles: Mapping[str, Role]
    event_window: EventWindow
    source_windows: Mapping[str, EventWindow]  # by event source; others use event_window
    stores: Mapping[str, str]  # store code → unit code (decision 31)
    single_administrator: bool  # may approve alone while fewer than two hold the role (decision 14)
    clause: str

    def day_of(self, instant: datetime) -> date:
        """The company's calendar day at an instant."""
        return instant.astimezone(self.time_zone).date()

    def end_of(self, day: date) -> datetime:
        """The first instant after a company day: what ends on that day holds until then."""
        return datetime.combine(day + timedelta(days=1), time(0, 0), self.time_zone)

    def window_for(self, source: str) -> EventWindow:
        """The allowed window of one event source."""
        return self.source_windows.get(source, self.event_window)


def read_company(node: Node) -> Company:
    """Read the section; faults are noted."""
    keys = mapping(
        node,
        ("time_zone", "currency", "calendar", "working_hours", "roles"),
        ("events", "stores", "single_administrator_approves"),
    )
    return Company(
        time_zone=_zone(keys["time_zone"]),
        currency=_currency(keys["currency"]),
        calendar=_calendar(keys["calendar"]),
        working_hours=_hours(keys["working_hours"]),
        roles=_roles(keys["roles"], keys),
        event_window=(window := _events(keys)),
        source_windows=_sources(keys, window),
        stores=keys.read("stores", lambda stores: table(stores, text), {}),
        single_administrator=keys.read("single_administrator_approves", reading.boolean, True),
        clause=keys.clause,
    )


@cache
def _zones() -> frozenset[str]:
    """Looking them up walks the disk."""
    return frozenset(available_timezones())


def _zone(node: Node) -> ZoneInfo:
    name = text(node)
    if name and name not in _zones():
        wrong(
            node,
            f"`{name}` is no time zone",
            reading.suggestion(name, _zones()) if len(name) < 40 else "write e.g. Asia/Shanghai",
        )
        return ZoneInfo("UTC")
    return ZoneInfo(name or "UTC")


def _currency(node: Node) -> str:
    name = text(node)
    if name and not (len(name) == 3 and name.isascii() and name.isalpha() and name.isupper()):
        wrong(node, f"`{name}` is no currency code", "write three capitals: CNY")
        return "CNY"
    return name or "CNY"


def _calendar(node: Node) -> CompanyCalendar:
    keys = mapping(node, ("holidays",), ("closed", "open"))
    closed = keys.read("closed", lambda days: reading.listing(days, reading.day), ())
    opened = keys.read("open", lambda days: reading.listing(days, reading.day), ())
    if keys.sound and set(closed) & set(opened):
        wrong(keys["closed"], "a day is both closed and open", "keep it in one of the two lists")
    return CompanyCalendar(choice(keys["holidays"], "china", "none"), frozenset(closed), frozenset(opened))


def _hours(node: Node) -> WorkingHours:
    keys = mapping(node, ("days", "from", "until"), ("breaks",))
    days = reading.listing(keys["days"], lambda item: choice(item, *WEEKDAYS), 1)
    opens, closes = reading.time_of_day(keys["from"]), reading.time_of_day(keys["until"])
    breaks = keys.read("breaks", lambda rows: reading.listing(rows, _break), ())
    if keys.sound and opens >= closes:
        wrong(keys["until"], "the day ends before it begins", f'write a time after "{opens:%H:%M}"')
    if keys.sound and any(not opens < starts < ends < closes for starts, ends in breaks):
        wrong(keys["breaks"], "a break lies outside the working hours", "put it between from and until")
    return WorkingHours(frozenset(WEEKDAYS.index(day) for day in days), opens, closes, breaks)


def _break(node: Node) -> tuple[time, time]:
    keys = mapping(node, ("from", "until"))
    return reading.time_of_day(keys["from"]), reading.time_of_day(keys["until"])


def _roles(node: Node, company: Keys) -> dict[str, Role]:
    currency = company["currency"].text or "CNY"

    def role(item: Node) -> Role:
        keys = mapping(item, ("title",), ("compensation",))
        titles = {
            language: text(words)
            for language, words in mapping(keys["title"], ("zh", "en"), marks=False).content.items()
        }
        return Role(
            item.path.rsplit(".", 1)[-1],
            titles,
            keys.read("compensation", lambda limit: _limit(limit, currency), Decimal(0)),
        )

    return table(node, role, code, 1)


def _limit(node: Node, currency: str) -> Decimal | None:
    if node.text == UNLIMITED:
        return None
    limit: Amount = reading.money(node, currency)
    return limit.value


def _window(node: Node) -> EventWindow:
    keys = mapping(node, ("back", "ahead"), ("sources",))
    return EventWindow(
        duration(keys["back"], ("hour", "day", "week", "month", "year")),
        duration(keys["ahead"], ("second", "minute", "hour", "day")),
    )


def _events(keys: Keys) -> EventWindow:
    return keys.read("events", _window, EventWindow(Duration(2, "year"), Duration(5, "minute")))


def _sources(keys: Keys, default: EventWindow) -> dict[str, EventWindow]:
    events = keys.get("events")
    if events is None or not isinstance(events.value, dict) or "sources" not in events.value:
        return {}
    return table(events.value["sources"], _window)
