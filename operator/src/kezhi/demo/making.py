"""A year of a company in a minute: the clock goes from a year ago to now, and what happened then is told then.

Everything goes through the doors that everybody has: staff through the API under their own names, tills through the
broker, customers through the portal. The agenda is one list of instants; at each the clock leaps there and what is due
then is done, so that deadlines pass, grades are reviewed and points become available by the clock and not by decree.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from kezhi.api import Api
from kezhi.demo.cases import Cases
from kezhi.demo.company import STORES, YUNXI
from kezhi.demo.courses import Deed, Story, deeds, stories
from kezhi.demo.customers import SEED
from kezhi.demo.life import Life, stray_events
from kezhi.demo.people import Clock, People, await_job, eventually
from kezhi.demo.places import source_of
from kezhi.demo.plan import Plan
from kezhi.demo.programme import Programme
from kezhi.demo.purchases import YEAR, ZONE, Year
from kezhi.demo.trade import Trade
from kezhi.home import Configuration

PERIODS = 12
CAMPAIGN = 3  # periods that it lasts, until the last one begins
OPENING = time(9, 30)
SITTING = timedelta(minutes=9)  # a token is good for ten
LAST_HOUR = timedelta(minutes=20)  # the newest purchase is not quite now: clocks of tills differ
FAR = timedelta(days=5)  # messages wait no longer than a week
QUIET = 3  # looks that saw no message move
CALM, STRAY = 4, 2  # looks that saw the same; dead letters of the one event that two services refuse
Work = Callable[[datetime], None]


@dataclass
class Making:
    """One demo being made."""

    people: People
    clock: Clock
    configuration: Configuration
    outgoing: Path
    console: Console
    customers: int
    password: str
    now: datetime
    seed: int = SEED
    year: Year = field(init=False)

    def __post_init__(self) -> None:
        self.year = Year(self.now.astimezone(ZONE).date())
        firsts = (opening(self.year, round(number * YEAR / PERIODS)) for number in range(PERIODS))
        self.ends = [*firsts, self.now]
        self._signed_in_at = self.ends[0]

    def make(self) -> None:
        """The whole year."""
        with Progress(
            TextColumn("{task.description:<12}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn(),
            console=self.console, transient=True,
        ) as progress:  # fmt: skip
            drawing = progress.add_task("customers", total=self.customers)
            plan = Plan(
                self.customers, self.year, self.ends, self.seed, lambda done: progress.update(drawing, completed=done)
            )
            progress.remove_task(drawing)
            self.trade = Trade(self.people, self.configuration, self.year, plan, self.seed, progress)
            self.cases = Cases(self.people, self.outgoing, self.customers, self.seed)
            self.life = Life(self.people, self.cases, self.customers, self.seed)
            self.programme = Programme(self.people)
            YUNXI.found(self.people("admin"), self.password)
            with self.people.machine_at_work(map(source_of, STORES)):
                self._live(progress)
        self.clock.come_home()
        self.people.awake(SITTING)

    def _live(self, progress: Progress) -> None:
        shown = progress.add_task("", total=None)
        self.trade.register(0)
        agenda = self._agenda()
        progress.update(shown, total=len(agenda))
        for at in sorted(agenda):
            self.leap(at)
            progress.update(shown, description=f"{at.astimezone(ZONE):%Y-%m-%d}")
            for work in agenda[at]:
                work(at)
            progress.advance(shown)

    def leap(self, at: datetime) -> None:
        """Move every process to an instant; what is over already is done at once."""
        if at > self.clock.now():
            if at - self.clock.now() > FAR:
                self._deliver()
            self.clock.travel_to(at)
            if (slept := at - self._signed_in_at) > SITTING:
                self.people.awake(slept)
                self._signed_in_at = at

    def _agenda(self) -> dict[datetime, list[Work]]:
        """Instant → what is done then, in order."""
        agenda: dict[datetime, list[Work]] = defaultdict(list)
        for work_at, work in (*self._periods(), *self._happenings(), *self._complaints()):
            agenda[work_at].append(work)
        agenda[self.now] += [lambda at: self.trade.map_stores(STORES), self._judge, self.life.spend_points]
        agenda[self.now] += [self._stray, self.cases.settle, self._rest]
        return agenda

    def _periods(self) -> Iterator[tuple[datetime, Work]]:
        for period in range(PERIODS):
            yield self.ends[period + 1], self._period(period)
            if period + 1 < PERIODS:
                yield self.ends[period + 1], self.life.approve_falls

    def _period(self, period: int) -> Work:
        """What was sold in a period, at its end; meanwhile who comes in the next one registers."""

        def work(at: datetime) -> None:
            with ThreadPoolExecutor(1) as aside:
                registering = aside.submit(self.trade.register, period + 1) if period + 1 < PERIODS else None
                self.trade.sell(period, self.ends[period], min(at, self.now - LAST_HOUR))
                if registering is not None:
                    registering.result()

        return work

    def _happenings(self) -> Iterator[tuple[datetime, Work]]:
        season = self.ends[-CAMPAIGN - 2 : -1]  # whole periods: what is bought is told at the end of each
        yield season[0], lambda at: self.programme.open(at, season[-1])
        yield self._day(36, "09:10"), self.life.keep_lunar_birthdays
        yield self._day(27, "09:10"), self.life.consent
        yield self._day(18, "09:10"), self.life.blacklist
        yield self._day(12, "09:10"), self.life.register_twice
        yield self._day(16, "09:10"), self.programme.claim
        yield self._day(8, "09:10"), self.life.spend_points
        yield self._day(3, "09:10"), self.life.go_away

    def _complaints(self) -> Iterator[tuple[datetime, Work]]:
        told: dict[datetime, list[tuple[Story, Deed]]] = defaultdict(list)
        for story in stories():
            for deed in deeds(story):
                told[self._day(deed.day, deed.at) if deed.day else self.now].append((story, deed))
        days: set[date] = set()
        for at in sorted(told):
            if at.date() not in days:
                days.add(at.date())
                yield at, self.cases.settle
            yield at, self._deeds(told[at])

    def _deeds(self, told: list[tuple[Story, Deed]]) -> Work:
        def work(at: datetime) -> None:
            for story, deed in told:
                if deed.action == "receive":
                    self.cases.receive(story, at)
            self.cases.work([(story, deed) for story, deed in told if deed.action != "receive"], at)

        return work

    def _day(self, number: int, hour: str) -> datetime:
        """An hour of the working day so many working days before the last day."""
        return datetime.combine(self._working_days()[number - 1], time.fromisoformat(hour), ZONE)

    def _working_days(self) -> list[date]:
        if not hasattr(self, "_known_days"):
            self._known_days = working_days(self.people.machine, self.year.last, 40)
        return self._known_days

    def _judge(self, at: datetime) -> None:
        """Classes and grades of today; who falls, waits for the director."""
        api = self.people.machine
        for scheme in ("frequency", "amount", "nature"):
            await_job(api, api.post("/classifications", {"scheme": scheme}))
        await_job(api, api.post("/gradings", {}))

    def _stray(self, at: datetime) -> None:
        self.trade.publish(stray_events(at))

    def _deliver(self) -> None:
        """Until what is to be sent today is sent: after a leap of a week it would be given up as too late."""
        api, seen = self.people.machine, [""]

        def quiet() -> bool:
            queued = api.get("/messages", status="queued", limit=200)["items"]
            due = [one for one in queued if datetime.fromisoformat(one["next_attempt_at"]) <= self.clock.now()]
            newest = api.get("/messages", limit=1)["items"]
            seen.append("moving" if due else newest[0]["id"] if newest else "none")
            return seen[-1] != "moving" and len(set(seen[-QUIET:])) == 1

        eventually("messages to be sent", quiet, every=0.1)

    def _rest(self, at: datetime) -> None:
        """Until what was told has gone its ways: the stray events have come to rest, and nothing moves any more."""
        api, seen = self.people.machine, [("", 0, 0)]

        def look() -> tuple[str, int, int]:
            letters = [api.get(f"/services/{one}/dead-letters", limit=5)["items"] for one in ("customer", "loyalty")]
            newest = api.get("/messages", limit=1)["items"]
            points = api.get("/loyalty-reports/liability")["points_outstanding"]
            return newest[0]["id"] if newest else "", points, sum(map(len, letters))

        def calm() -> bool:
            seen.append(look())
            return len(seen) > CALM and seen[-1][2] >= STRAY and len(set(seen[-CALM:])) == 1

        eventually("the last events in the books", calm, every=0.3)


def opening(year: Year, day: int = 0) -> datetime:
    """The first instant of the demo, or the same hour of a later day."""
    return datetime.combine(year.first + timedelta(days=day), OPENING, ZONE)


def working_days(api: Api, before: date, count: int) -> list[date]:
    """The last so many working days before a day, newest first, by the calendar that deadlines are counted with."""
    holidays: set[str] = set()
    workdays: set[str] = set()
    for year in api.get("/calendar/years")["items"]:
        holidays |= set(year["holidays"])
        workdays |= set(year["workdays"])
    found: list[date] = []
    day = before
    while len(found) < count:
        day -= timedelta(days=1)
        name = day.isoformat()
        if name in workdays or (day.weekday() < 5 and name not in holidays):
            found.append(day)
    return found
