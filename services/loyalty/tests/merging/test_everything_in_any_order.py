"""Every operation in any order on three members who may become one and part again: the invariants hold after each.

What a member is worth is `test_points_as_modelled.py`'s matter; here nothing but the laws: the books agree with
themselves, no operation ends in anything but success or a refusal in the field's words, and what is there equals what
came less what went. ``KEZHI_LONG=1`` runs 2,000 histories (or ``KEZHI_EXAMPLES``).
"""

from __future__ import annotations

import itertools
import os
import uuid
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from chassis.timing.due import DuePoller
from kezhi_contracts import schemas
from loyalty.reporting import reconciliation
from loyalty.tiers.progress import tier_now

START = datetime(2026, 12, 20, 2, 0, tzinfo=UTC)
LONG = os.environ.get("KEZHI_LONG") == "1"
OF_THREE = st.integers(0, 2)
_examples = itertools.count(1)
_FLOWS = """
    SELECT coalesce(sum(points_pending + 0), 0) AS pending, coalesce(sum(points_available), 0) AS available,
           coalesce(sum(points_held), 0) AS held, coalesce(sum(points_blocked), 0) AS blocked,
           coalesce(-sum(points_issued), 0) + coalesce(-sum(points_adjusted), 0) AS came,
           coalesce(sum(points_redeemed), 0) + coalesce(sum(points_expired), 0) AS went
    FROM transaction WHERE member_id > :after
"""
_PURSES = """
    SELECT coalesce(sum(pending), 0) AS pending, coalesce(sum(available), 0) AS available,
           coalesce(sum(held), 0) AS held, coalesce(sum(blocked), 0) AS blocked
    FROM member WHERE customer_id > :after
"""
_TIERS = """
    SELECT customer_id::text AS id, tier FROM member
    WHERE customer_id > :after AND merged_into IS NULL AND (tier_review_at IS NULL OR tier_review_at > :now)
"""


class Everything(RuleBasedStateMachine):
    """What staff, tills, the registry and time do to three members."""

    programme: Any
    api: Any
    director: Any
    registry: Any

    @initialize()
    def begin(self) -> None:
        self.programme.clock.travel_to(START)
        example = next(_examples)
        self.before = str(uuid.UUID(int=example * 10))  # ids ascend: the proof reads only this history
        self.cards = [f"card:{example}-{number}" for number in range(3)]
        self.members = [
            self.registry.registers(card, customer_id=str(uuid.UUID(int=example * 10 + 1 + number)))
            for number, card in enumerate(self.cards)
        ]
        self.sold: list[tuple[str, Decimal]] = []
        self.holds: list[str] = []
        self.redemptions: list[str] = []
        self.waiting: list[str] = []
        self.merged: list[tuple[str, int, int]] = []
        self.steps = itertools.count(1)

    def asked(self, path: str, body: dict[str, Any] | None = None) -> Any:
        """A request that succeeds, or is refused because of how things stand."""
        answer = self.api.post(path, body)
        assert answer.status_code in (200, 201, 404, 409), (path, body, answer.get_json())
        return answer.get_json() if answer.status_code < 300 else None

    @rule(who=OF_THREE, cents=st.integers(1, 30_000), days=st.sampled_from([0, 3, 8, 60, 360, 400]))
    def buy(self, who: int, cents: int, days: int) -> None:
        number = f"{self.cards[who]}-{next(self.steps):04d}"
        total = Decimal(cents) / 100
        at = self.programme.clock.now() - timedelta(days=days, seconds=1)
        assert self.programme.buys(str(total), number, by=self.cards[who], at=at) == ["accepted"]
        self.sold.append((number, total))

    @rule(pick=st.integers(0, 99), share=st.sampled_from(["0.2", "0.5", "1"]))
    def refund(self, pick: int, share: str) -> None:
        if not self.sold:
            return
        number, left = self.sold.pop(pick % len(self.sold))
        amount = max((left * Decimal(share)).quantize(Decimal("0.01")), Decimal("0.01"))
        refund_id = f"R{number}-{next(self.steps)}"
        assert self.programme.refunds(number, str(amount), refund_id=refund_id) == ["accepted"]
        assert self.programme.refunds(number, str(amount), refund_id=refund_id) == ["accepted"], "told again: no effect"
        if left > amount:
            self.sold.append((number, left - amount))

    @rule(who=OF_THREE, points=st.integers(1, 400))
    def hold(self, who: int, points: int) -> None:
        if made := self.asked("holds", {"customer_id": self.members[who], "points": points}):
            self.holds.append(made["id"])

    @rule(pick=st.integers(0, 99), how=st.sampled_from(["capture", "capture", "part", "release"]))
    def resolve(self, pick: int, how: str) -> None:
        if not self.holds:
            return
        hold = self.holds[pick % len(self.holds)]
        if how == "release":
            self.asked(f"holds/{hold}/release")
        else:
            self.asked(f"holds/{hold}/capture", {"points": 1} if how == "part" else None)

    @rule(who=OF_THREE, reward=st.sampled_from(["TILL", "TEA", "GIFT"]), hold=st.booleans())
    def redeem(self, who: int, reward: str, hold: bool) -> None:
        body: dict[str, Any] = {"customer_id": self.members[who], "reward": reward}
        if hold and self.holds:
            body["hold_id"] = self.holds[-1]
        if made := self.asked("redemptions", body):
            self.redemptions.append(made["id"])

    @rule(pick=st.integers(0, 99))
    def cancel(self, pick: int) -> None:
        if self.redemptions:
            self.asked(f"redemptions/{self.redemptions[pick % len(self.redemptions)]}/cancel", {"reason": "changed"})

    @rule(who=OF_THREE, points=st.sampled_from([-300, -20, 15, 250]))
    def adjust(self, who: int, points: int) -> None:
        """What sums beyond the limit of one person waits for another one's word."""
        body = {"customer_id": self.members[who], "points": points, "reason_code": "goodwill", "note": "as it happens"}
        answer = self.api.post("adjustments", body)
        assert answer.status_code in (201, 202, 404, 409), answer.get_json()
        if answer.status_code == 202:
            self.waiting.append(answer.get_json()["id"])

    @rule(word=st.sampled_from(["approve", "reject"]))
    def second(self, word: str) -> None:
        """Somebody else decides, who may come too late: the points are gone, or the member is."""
        if self.waiting:
            path = f"/api/v1/services/loyalty/approvals/{self.waiting.pop()}/{word}"
            assert self.director.post(path, json={"note": "looked at it"}).status_code in (200, 409)

    @rule(who=OF_THREE, points=st.integers(1, 200))
    def compensate(self, who: int, points: int) -> None:
        event = schemas.example("complaint.compensated.v1")
        event["id"] = f"c{uuid.uuid4()}"
        event["data"] |= {"customer_id": self.members[who], "points": points, "compensation_id": str(uuid.uuid4())}
        assert self.programme.tell("compensations", event) == ["accepted"]

    @rule(who=OF_THREE, may=st.booleans())
    def put_under_review(self, who: int, may: bool) -> None:
        if self.registry.cards[self.members[who]]:
            reasons = [] if may else [{"code": "blacklisted", "scope": "company"}]
            self.registry.updates(self.members[who], standing={"may_trade": may, "reasons": reasons})

    @rule(one=OF_THREE, other=OF_THREE)
    def merge(self, one: int, other: int) -> None:
        gone = {absorbed for _, _, absorbed in self.merged}
        if one == other or {one, other} & gone:
            return
        self.merged.append((self.registry.merge(self.members[one], self.members[other]), one, other))

    @rule()
    def part(self) -> None:
        if self.merged:
            self.registry.unmerge(self.merged.pop()[0])

    @rule(step=st.sampled_from([{"minutes": 20}, {"days": 8}, {"days": 25}, {"days": 200}]))
    def wait(self, step: dict[str, int]) -> None:
        self.programme.clock.advance(**step)
        DuePoller(self.programme.runtime).drain()
        for schedule in ("release-pending", "expire-lots", "review-tiers"):
            self.programme.run(schedule)

    @invariant()
    def the_books_agree(self) -> None:
        if not hasattr(self, "members"):
            return
        with self.programme.runtime.sessions() as session:
            found = reconciliation.reconcile(session, self.before)
        assert (found["accounts"], found["mismatches"]) == (3, 0), found["details"]

    @invariant()
    def what_is_there_is_what_came_less_what_went(self) -> None:
        if not hasattr(self, "members"):
            return
        (flows,) = self.programme.rows(_FLOWS, after=self.before)
        (purses,) = self.programme.rows(_PURSES, after=self.before)
        assert all(flows[name] == purses[name] for name in purses), (dict(flows), dict(purses))
        assert sum(purses.values()) == flows["came"] - flows["went"]

    @invariant()
    def each_row_has_the_tier_of_its_history(self) -> None:
        if not hasattr(self, "members"):
            return
        now, policy = self.programme.clock.now(), self.programme.runtime.policies.in_force()
        rows = self.programme.rows(_TIERS, after=self.before, now=now)
        with self.programme.runtime.sessions() as session:
            found = {row["id"]: tier_now(session, row["id"], policy, now) for row in rows}
        assert {row["id"]: row["tier"] for row in rows} == found


@pytest.mark.timeout(4 * 3600 if LONG else 300)
@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-23")
def test_the_laws_hold_after_every_step(programme: Any, api: Any, client: Any, registry: Any, offer: Any) -> None:
    programme.clock.travel_to(START)
    offer("TILL", "discount", points=40)
    offer("TEA", "voucher", points=60)
    offer("GIFT", "gift", points=100, stock=5)
    director = client(programme.runtime, roles=["director"], username="zhao")
    found = {"programme": programme, "api": api, "director": director, "registry": registry}
    bound = type("BoundEverything", (Everything,), found)

    run_state_machine_as_test(
        bound,
        settings=settings(
            max_examples=int(os.environ.get("KEZHI_EXAMPLES", "2000")) if LONG else 5,
            stateful_step_count=40 if LONG else 20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
        ),
    )
