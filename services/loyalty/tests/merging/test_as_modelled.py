"""Merged and parted in any order, with purchases, refunds and holds between: nobody gains, nobody loses.

The model knows what each of two customers would have alone, and what was bought while they were one: that is the
survivor's. ``KEZHI_LONG=1`` runs 500 histories instead of a few.
"""

from __future__ import annotations

import itertools
import os
import uuid
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test
from services.loyalty.tests.merging.conftest import Registry

from chassis.errors import Conflict
from loyalty.redemption.use_cases import release, set_aside
from loyalty.reporting import reconciliation

LONG = os.environ.get("KEZHI_LONG") == "1"
_examples = itertools.count(1)


class Couple(RuleBasedStateMachine):
    """Buy, refund, hold, release, wait, merge, part: after each step the points are where the model has them."""

    programme: Any

    @initialize()
    def begin(self) -> None:
        example = next(_examples)
        self.before = str(uuid.UUID(int=example * 10))  # ids ascend, so that the proof reads only this couple
        self.registry = Registry(self.programme)
        self.cards = [f"card:{example}-1", f"card:{example}-2"]
        self.ids = [
            self.registry.registers(card, customer_id=str(uuid.UUID(int=example * 10 + 1 + place)))
            for place, card in enumerate(self.cards)
        ]
        self.own = [0, 0]
        self.bought: list[tuple[str, int, int]] = []  # purchase, whose, points not refunded yet
        self.holds: list[uuid.UUID] = []
        self.merge_id: str | None = None
        self.survivor = 0
        self.steps = itertools.count(1)

    @rule(who=st.integers(0, 1), total=st.integers(1, 15), days=st.sampled_from([0, 3, 8]))
    def buy(self, who: int, total: int, days: int) -> None:
        name = f"{self.cards[who]}-{next(self.steps)}"
        at = self.programme.clock.now() - timedelta(days=days)
        self.programme.buys(f"{total}.00", name, by=self.cards[who], at=at)
        whose = who if self.merge_id is None else self.survivor
        self.own[whose] += total
        self.bought.append((name, whose, total))

    @rule(pick=st.integers(0, 99), share=st.sampled_from(["0.30", "1"]))
    def refund(self, pick: int, share: str) -> None:
        if not self.bought:
            return
        name, whose, left = self.bought.pop(pick % len(self.bought))
        points = max(int(left * Decimal(share)), 1)
        self.programme.refunds(name, f"{points}.00", refund_id=f"R-{name}-{next(self.steps)}")
        self.own[whose] -= points
        if left > points:
            self.bought.append((name, whose, left - points))

    @rule(who=st.integers(0, 1), points=st.integers(1, 10))
    def set_aside_a_moment(self, who: int, points: int) -> None:
        """A hold lives on through whatever comes; while the two are one nobody makes a new one."""
        if self.merge_id is not None:
            return
        try:
            with self.programme.runtime.context() as context:
                until = context.clock.now() + timedelta(days=300)
                self.holds.append(set_aside(context, uuid.UUID(self.ids[who]), points, until).id)
        except Conflict:
            return

    @rule(pick=st.integers(0, 99))
    def release(self, pick: int) -> None:
        if self.holds:
            with self.programme.runtime.context() as context:
                release(context, self.holds.pop(pick % len(self.holds)))

    @rule(days=st.sampled_from([1, 8]))
    def wait(self, days: int) -> None:
        self.programme.clock.advance(days=days)
        self.programme.run("release-pending")

    @rule(survivor=st.integers(0, 1))
    def merge(self, survivor: int) -> None:
        if self.merge_id is None:
            self.survivor = survivor
            self.merge_id = self.registry.merge(self.ids[survivor], self.ids[1 - survivor])

    @rule()
    def part(self) -> None:
        if self.merge_id is not None:
            self.registry.unmerge(self.merge_id)
            self.merge_id = None

    @invariant()
    def the_points_are_where_they_belong(self) -> None:
        if not hasattr(self, "own"):
            return
        found = [self._points(customer) for customer in self.ids]
        if self.merge_id is None:
            assert found == self.own
        else:
            assert (found[self.survivor], found[1 - self.survivor]) == (sum(self.own), 0)
        growth = [self.programme.purse(customer)["growth"] for customer in self.ids]
        assert growth == found

    @invariant()
    def the_books_are_right(self) -> None:
        if not hasattr(self, "own"):
            return
        with self.programme.runtime.sessions() as session:
            found = reconciliation.reconcile(session, self.before)
        assert (found["accounts"], found["mismatches"]) == (2, 0), found["details"]

    def _points(self, customer: str) -> int:
        purse = self.programme.purse(customer)
        return int(purse["pending"] + purse["available"] + purse["held"])


@pytest.mark.timeout(3 * 3600 if LONG else 300)
@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-23")
def test_two_who_merge_and_part_have_what_each_would_have_had(programme: Any) -> None:
    bound = type("BoundCouple", (Couple,), {"programme": programme})

    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=500 if LONG else 10,
            stateful_step_count=40 if LONG else 15,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
