"""Whatever happens in whatever order, the ledger does what a page of plain arithmetic does, and proves itself.

``KEZHI_LONG=1`` runs 2,000 histories (or ``KEZHI_EXAMPLES``) instead of a few.
"""

from __future__ import annotations

import itertools
import os
import uuid
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chassis.errors import Conflict
from chassis.timing.due import DuePoller
from loyalty.redemption.cancelling import cancel
from loyalty.redemption.redeeming import Claim, redeem
from loyalty.redemption.tables import Redemption
from loyalty.redemption.use_cases import capture, release, set_aside
from loyalty.reporting import reconciliation

START = datetime(2026, 12, 20, 2, 0, tzinfo=UTC)  # lots of 2025 lapse soon, within the time for cancelling
LONG = os.environ.get("KEZHI_LONG") == "1"
SHARES = st.sampled_from([0.1, 0.4, 0.4, 0.7, 1.0, 1.5])  # of what may be spent; the last is too much
_examples = itertools.count(1)


@dataclass
class Lot:
    """What one purchase earned."""

    purchase_id: str
    total: Decimal
    points: int
    earned_at: datetime
    expires_at: datetime
    available_at: datetime
    state: str = "pending"
    remaining: int = 0
    reserved: int = 0
    refunded: Decimal = Decimal(0)
    reversed: int = 0

    @property
    def free(self) -> int:
        return self.remaining - self.reserved


@dataclass
class Purse:
    """The model: lots, open holds, redemptions and a deficit; every balance is a sum over the lots and the deficit."""

    lots: list[Lot] = field(default_factory=list)
    holds: dict[uuid.UUID, tuple[datetime, list[tuple[Lot, int]]]] = field(default_factory=dict)
    redemptions: dict[uuid.UUID, tuple[datetime, list[tuple[Lot, int]]]] = field(default_factory=dict)
    deficit: int = 0

    def balances(self) -> dict[str, int]:
        available = [lot for lot in self.lots if lot.state == "available"]
        return {
            "pending": sum(lot.remaining for lot in self.lots if lot.state == "pending"),
            "available": sum(lot.free for lot in available) - self.deficit,
            "held": sum(lot.reserved for lot in self.lots),
            "deficit": self.deficit,
        }

    def absorb(self, lot: Lot, credited: int) -> None:
        """A debt takes what comes in, before the member sees it."""
        owed = min(credited, self.deficit)
        self.deficit -= owed
        lot.remaining -= owed

    def earn(self, lot: Lot, now: datetime) -> None:
        lot.remaining = lot.points
        self.lots.append(lot)
        if lot.available_at <= now:
            lot.state = "available"
            self.absorb(lot, lot.points)

    def refund(self, lot: Lot, amount: Decimal) -> None:
        lot.refunded += amount
        reached = lot.points if lot.refunded == lot.total else int(lot.points * lot.refunded / lot.total)
        points, lot.reversed = reached - lot.reversed, reached
        for source in [lot, *(other for other in self.spendable(None) if other is not lot)]:
            taken = min(points, source.free)
            source.remaining -= taken
            points -= taken
        self.deficit += points

    def spendable(self, now: datetime | None) -> list[Lot]:
        lots = [lot for lot in self.lots if lot.state == "available" and lot.free]
        return sorted(
            (lot for lot in lots if now is None or lot.expires_at > now),
            key=lambda lot: (lot.expires_at, lot.earned_at),
        )

    def pass_time(self, now: datetime) -> None:
        for lot in sorted(self.lots, key=lambda lot: (lot.available_at, lot.purchase_id)):
            if lot.state == "pending" and lot.available_at <= now:
                lot.state = "available"
                self.absorb(lot, lot.remaining)
        for lot in self.lots:
            if lot.state == "available" and lot.expires_at <= now and not lot.reserved:
                lot.remaining = 0

    def hold(self, id: uuid.UUID, points: int, until: datetime, now: datetime) -> None:
        shares = []
        for lot in self.spendable(now):
            share = min(points, lot.free)
            lot.reserved += share
            points -= share
            if share:
                shares.append((lot, share))
        self.holds[id] = (until, shares)

    def resolve(self, id: uuid.UUID, taken: int, now: datetime) -> list[tuple[Lot, int]]:
        spent = []
        for lot, share in self.holds.pop(id)[1]:
            part = min(taken, share)
            taken -= part
            lot.reserved -= share
            lot.remaining -= part
            self.absorb(lot, share - part)
            spent.append((lot, part))
        self.pass_time(now)
        return [(lot, part) for lot, part in spent if part]

    def redeem(self, id: uuid.UUID, points: int, now: datetime) -> None:
        spent = []
        for lot in self.spendable(now):
            share = min(points, lot.free)
            lot.remaining -= share
            points -= share
            spent.append((lot, share))
        self.redemptions[id] = (now, [(lot, share) for lot, share in spent if share])

    def cancel(self, id: uuid.UUID, now: datetime) -> None:
        """Points are back in their lots; what had lapsed lives to the end of the thirtieth day in Shanghai."""
        self.pass_time(now)
        for lot, share in sorted(self.redemptions.pop(id)[1], key=lambda part: (part[0].expires_at, part[0].earned_at)):
            if lot.expires_at <= now:
                midnight = (now + timedelta(hours=8)).replace(hour=0, minute=0, second=0, microsecond=0)
                lot.expires_at = midnight + timedelta(days=31, hours=-8)
            lot.remaining += share
            self.absorb(lot, share)


class History(RuleBasedStateMachine):
    """Earn, wait, refund, hold, capture, release, time out, redeem, cancel, expire: after each step the two agree."""

    programme: Any

    @initialize()
    def begin(self) -> None:
        self.programme.clock.travel_to(START)
        example = next(_examples)
        self.before = str(uuid.UUID(int=example * 2))  # ids ascend, so that the proof reads only this history
        self.customer = self.programme.enrol(f"card:{example}", customer_id=str(uuid.UUID(int=example * 2 + 1)))
        self.card = f"card:{example}"
        self.purse = Purse()
        self.steps = itertools.count(1)
        self._buys(4000, 400)
        self._buys(2000, 10)

    @property
    def now(self) -> datetime:
        return self.programme.clock.now()

    @rule(cents=st.integers(100, 1500), days=st.sampled_from([0, 3, 8, 60, 360, 400]))
    def buy(self, cents: int, days: int) -> None:
        self._buys(cents, days)

    def _buys(self, cents: int, days: int) -> None:
        number = next(self.steps)
        at = self.now - timedelta(days=days, seconds=number)
        total, name = Decimal(cents) / 100, f"{self.card}-{number:04d}"
        self.programme.buys(str(total), name, by=self.card, at=at)
        local = at + timedelta(hours=8)
        lapse = datetime(local.year + 2, 1, 1, tzinfo=UTC) - timedelta(hours=8)
        self.purse.earn(Lot(name, total, int(total), at, lapse, at + timedelta(days=7)), self.now)

    @rule(pick=st.integers(0, 99), share=st.sampled_from(["0.10", "0.33", "0.50", "1"]))
    def refund(self, pick: int, share: str) -> None:
        open_ = [lot for lot in self.purse.lots if lot.refunded < lot.total]
        if not open_:
            return
        lot = open_[pick % len(open_)]
        amount = max(((lot.total - lot.refunded) * Decimal(share)).quantize(Decimal("0.01")), Decimal("0.01"))
        assert self.programme.refunds(
            lot.purchase_id, str(amount), refund_id=f"R{lot.purchase_id}-{next(self.steps)}"
        ) == ["accepted"]
        self.purse.refund(lot, amount)

    @rule(share=SHARES, minutes=st.sampled_from([15, 15, 60, 60 * 24 * 7]))
    def hold(self, share: float, minutes: int) -> None:
        until = self.now + timedelta(minutes=minutes, seconds=next(self.steps))
        points, enough = self._asked(share)
        try:
            with self.programme.runtime.context() as context:
                id = set_aside(context, uuid.UUID(self.customer), points, until).id
        except Conflict:
            assert not enough
            return
        assert enough
        self.purse.pass_time(self.now)
        self.purse.hold(id, points, until, self.now)

    @rule(pick=st.integers(0, 99), share=st.sampled_from([0.01, 0.5, 1.0]))
    def capture(self, pick: int, share: float) -> None:
        if not self.purse.holds:
            return
        id = list(self.purse.holds)[pick % len(self.purse.holds)]
        until, shares = self.purse.holds[id]
        taken = max(int(sum(points for _, points in shares) * share), 1)
        try:
            with self.programme.runtime.context() as context:
                redemption = capture(context, id, taken).redemption_id
        except Conflict:
            assert until <= self.now
        else:
            assert until > self.now
            assert redemption is not None
            self.purse.redemptions[redemption] = (self.now, self.purse.resolve(id, taken, self.now))

    @rule(pick=st.integers(0, 99))
    def release(self, pick: int) -> None:
        if not self.purse.holds:
            return
        id = list(self.purse.holds)[pick % len(self.purse.holds)]
        with self.programme.runtime.context() as context:
            release(context, id)
        self.purse.resolve(id, 0, self.now)

    @rule(share=SHARES)
    def redeem(self, share: float) -> None:
        points, enough = self._asked(share)
        try:
            with self.programme.runtime.context() as context:
                id = redeem(context, Claim(uuid.UUID(self.customer), "TILL", points, None, None, "till")).id
        except Conflict:
            assert not enough
            return
        assert enough
        self.purse.pass_time(self.now)
        self.purse.redeem(id, points, self.now)

    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        if not self.purse.redemptions:
            return
        id = list(self.purse.redemptions)[pick % len(self.purse.redemptions)]
        in_time = self.now < self.purse.redemptions[id][0] + timedelta(days=30)
        try:
            with self.programme.runtime.context() as context:
                cancel(context, context.session.get_one(Redemption, id), "as modelled", "till")
        except Conflict:
            assert not in_time
            return
        assert in_time
        self.purse.cancel(id, self.now)

    @rule(
        step=st.sampled_from([{"minutes": 20}, {"days": 4}, {"days": 8}, {"days": 8}, {"days": 25}, {"days": 200}]),
        late=st.booleans(),
    )
    def wait(self, step: dict[str, int], late: bool) -> None:
        """Time passes; ``late``: and no schedule has run yet."""
        self.programme.clock.advance(**step)
        if late:
            return
        DuePoller(self.programme.runtime).drain()
        for id, (until, _) in sorted(self.purse.holds.items(), key=lambda item: item[1][0]):
            if until <= self.now:
                self.purse.resolve(id, 0, self.now)
        self.programme.run("release-pending")
        self.programme.run("expire-lots")
        self.purse.pass_time(self.now)

    @invariant()
    def model_and_ledger_agree(self) -> None:
        if not hasattr(self, "purse"):
            return
        actual = self.programme.purse(self.customer)
        assert {name: actual[name] for name in ("pending", "available", "held", "deficit")} == self.purse.balances()
        lots = self.programme.rows(
            "SELECT substr(business_key, 10) AS name, state, remaining, reserved FROM lot"
            " JOIN transaction t ON t.member_id = lot.member_id AND t.id = lot.transaction_id"
            " WHERE lot.member_id = :id",
            id=self.customer,
        )
        assert {lot["name"]: (lot["state"], lot["remaining"], lot["reserved"]) for lot in lots} == {
            lot.purchase_id: (lot.state, lot.remaining, lot.reserved) for lot in self.purse.lots if lot.points
        }

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "purse"):
            return
        with self.programme.runtime.sessions() as session:
            found = reconciliation.reconcile(session, self.before)
        assert (found["accounts"], found["mismatches"]) == (1, 0), found["details"]

    def _asked(self, share: float) -> tuple[int, bool]:
        """So much of what may be spent, and whether it is there."""
        spendable = self._spendable_after_catching_up()
        points = max(int(spendable * share), 1)
        return points, points <= spendable

    def _spendable_after_catching_up(self) -> int:
        """What a hold may take: lots that are due count, lots that are over don't; the debt comes first."""
        now, free, owed = self.now, 0, self.purse.deficit
        for lot in self.purse.lots:
            if lot.state == "pending" and lot.available_at <= now:
                absorbed = min(owed, lot.remaining)
                owed -= absorbed
                free += lot.remaining - absorbed if lot.expires_at > now else 0
            elif lot.state == "available" and lot.expires_at > now:
                free += lot.free
        return free


@pytest.mark.timeout(3 * 3600 if LONG else 300)
@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-23")
def test_the_ledger_does_what_plain_arithmetic_does(programme: Any, offer: Any) -> None:
    programme.clock.travel_to(START)
    offer("TILL", "discount", points=1)
    bound = type("BoundHistory", (History,), {"programme": programme})

    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=int(os.environ.get("KEZHI_EXAMPLES", "2000")) if LONG else 12,
            stateful_step_count=40 if LONG else 20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
