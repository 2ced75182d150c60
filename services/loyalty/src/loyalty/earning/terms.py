"""A policy version made ready for many purchases: what is the same for all of them is worked out once."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

from chassis.policies.book import Policy
from chassis.policies.units import Duration
from chassis.storage import wire
from loyalty.earning.domain import uniform
from loyalty.policy.rules import ROLLING, LoyaltyPolicy
from loyalty.tiers.periods import Stretch, stretches

_DAYS = ("day", "week")


class Terms:
    """One version's rules with its calendar arithmetic at hand."""

    def __init__(self, policy: Policy) -> None:
        self.policy = policy
        self.rules: LoyaltyPolicy = policy.rules
        self.version = policy.version
        self.zone = policy.company.time_zone
        self.uniform = uniform(self.rules.earning)
        tiers = self.rules.tiers.tiers
        self.first_tier = tiers[0]
        self.second_threshold = tiers[1].at if len(tiers) > 1 else None
        self.unit_cost = wire.number(self.rules.redemption.money(1))
        self._pending = self._exact(self.rules.points.pending)
        self._window = self._exact(self.rules.tiers.window)
        self.ground = wire.text(self.version) + wire.text(self.rules.earning.clause)
        self._lapse: dict[date, tuple[bytes, str | None]] = {}

    def day(self, at: datetime) -> date:
        """The company's day."""
        return at.astimezone(self.zone).date()

    def window_start(self, end: datetime) -> datetime:
        """Where the tier window that ends at ``end`` begins."""
        return self.rules.tiers.window.before(end, self.zone) if self._window is None else end - self._window

    def stretches(self, at: datetime, enrolled_at: datetime) -> tuple[Stretch, ...]:
        """The stretches of time whose growth may carry the tier of a purchase at ``at``."""
        if self.rules.tiers.period == ROLLING:
            return ((self.window_start(at), at),)
        return stretches(self.rules.tiers, at, enrolled_at, self.policy.company)

    def available_at(self, at: datetime) -> datetime:
        """When points of a purchase at ``at`` may be spent."""
        return self.rules.points.available_at(at, self.policy.company) if self._pending is None else at + self._pending

    def expires_at(self, at: datetime) -> tuple[bytes, str | None]:
        """When they lapse, as COPY reads it and as text; the same for all purchases of a day."""
        day = self.day(at)
        known = self._lapse.get(day)
        if known is None:
            lapse = self.rules.points.expires_at(at, self.policy.company)
            known = (wire.instant(lapse), None if lapse is None else lapse.astimezone(UTC).isoformat())
            self._lapse[day] = known
        return known

    def _exact(self, span: Duration | None) -> timedelta | None:
        """A span of days as elapsed time, where the zone never moves its clocks; None: ask the calendar."""
        if span is None:
            return timedelta(0)
        return span.exact if span.unit in _DAYS and _fixed(self.zone.key) else None


@lru_cache
def _fixed(zone: str) -> bool:
    """Whether a zone has kept one offset since 1992 and so will, as far as anybody knows."""
    from zoneinfo import ZoneInfo  # noqa: PLC0415 - asked once per zone

    probes = (datetime(year, month, 1, tzinfo=UTC) for year in range(1992, 2038) for month in range(1, 13))
    return len({probe.astimezone(ZoneInfo(zone)).utcoffset() for probe in probes} | {timedelta.max}) == 2
