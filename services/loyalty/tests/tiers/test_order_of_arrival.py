"""Whatever is told first: the tier, until when it is kept and the history are what the purchases say in their order.

``KEZHI_LONG=1`` tries 2,000 histories (or ``KEZHI_EXAMPLES``).
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select, text

from loyalty.earning import reversing
from loyalty.members.tables import Member
from loyalty.migrations.versions.l013_tiers_on_record import DISAGREE
from loyalty.tiers.migrating import tier_on_record

LONG = os.environ.get("KEZHI_LONG") == "1"
YEAR = timedelta(days=365)
LEVELS = (("diamond", 20000), ("platinum", 5000), ("gold", 1000), ("ordinary", 0))
HEIGHT = dict(LEVELS)
_numbers = itertools.count(1)

REVOKED = """
    INSERT INTO tier_change (member_id, kind, tier, previous, since, growth, revokes, recorded_at)
    SELECT member_id, 'revoked', 'ordinary', tier, since, 950, id, now() FROM tier_change
"""

# Days ago, yuan, per cent of it that come back. All within a year: no tier ended before all of it was told.
Step = tuple[int, int, int]
AMOUNTS = st.sampled_from([60, 94, 200, 500, 950, 1800, 4000])
STEPS = st.lists(
    st.tuples(st.integers(1, 360), AMOUNTS, st.sampled_from([0, 0, 50, 100])),
    min_size=2, max_size=7, unique_by=lambda step: step[0],
)  # fmt: skip


def reached(growth: int) -> str:
    return next(name for name, least in LEVELS if growth >= least)


def way_up(grown: Sequence[tuple[datetime, int]], now: datetime) -> tuple[str, datetime | None, list[str]]:
    """The tier now, until when it is kept, and the tier after each purchase: plain sums, each purchase in its turn."""
    tier, until, after = "ordinary", datetime.min.replace(tzinfo=now.tzinfo), []

    def held(at: datetime) -> str:
        window = reached(sum(amount for when, amount in grown if at - YEAR <= when < at))
        return max(window, tier if at < until else "ordinary", key=HEIGHT.__getitem__)

    for at, amount in sorted(grown):
        before = held(at)
        up = reached(sum(other for when, other in grown if at - YEAR < when <= at))
        if amount and HEIGHT[up] > HEIGHT[before]:
            tier, until = up, at + YEAR
        after.append(held(at + timedelta(microseconds=1)))
    present = held(now)
    return present, until if now < until and tier == present else None, after


@pytest.fixture
def standing(programme: Any) -> Callable[..., tuple[str, str, datetime | None]]:
    """``standing(customer)`` → the tier of the row, the tier that the history ends with, until when it is kept."""

    def found(customer: str) -> tuple[str, str, datetime | None]:
        (row,) = programme.rows("SELECT tier, tier_kept_until FROM member WHERE customer_id = :id", id=customer)
        return row["tier"], on_record(programme, customer, programme.clock.now()), row["tier_kept_until"]

    return found


def on_record(programme: Any, customer: str, at: datetime) -> str:
    """What the matrix of tiers counts the member as."""
    with programme.runtime.sessions() as session:
        found: str = session.scalar(select(tier_on_record(at, "ordinary")).where(Member.customer_id == customer))
        return found


@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-25")
@pytest.mark.parametrize("refunded_early", [True, False], ids=["refund first", "refund last"])
def test_a_refund_that_is_told_after_the_next_purchase_moves_the_rise_to_that_purchase(
    programme: Any, api: Any, standing: Any, in_balance: Any, refunded_early: bool
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("950.00")
    programme.clock.advance(days=10)
    programme.buys("94.00", "P2")
    programme.clock.advance(days=10)
    if refunded_early:
        programme.refunds("P2", "94.00")
    programme.buys("200.00", "P3")
    third = programme.clock.now()
    programme.clock.advance(days=10)
    if not refunded_early:
        programme.refunds("P2", "94.00")

    assert standing(customer) == ("gold", "gold", third + YEAR)
    assert on_record(programme, customer, third - timedelta(days=1)) == "ordinary"
    rise = api.get(f"members/{customer}/tiers").get_json()["items"][0]
    (bought,) = programme.rows("SELECT id::text AS id FROM transaction WHERE business_key = 'purchase:P3'")
    assert (rise["kind"], rise["tier"], rise["transaction_id"]) == ("rise", "gold", bought["id"])
    assert datetime.fromisoformat(rise["since"]) == third
    in_balance()
    programme.clock.travel_to(third + YEAR + timedelta(seconds=1))
    programme.run("review-tiers")
    assert standing(customer) == ("ordinary", "ordinary", None)


@pytest.mark.rule("CG-22")
def test_a_tier_that_the_history_lost_is_recorded_by_the_review_after_the_migration(
    programme: Any, api: Any, standing: Any, in_balance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reversing, "reconsider", lambda *_: None)
    customer = programme.enrol("card:1")
    for number, total in enumerate(("950.00", "94.00", "200.00"), start=1):
        programme.clock.advance(days=10)
        programme.buys(total, f"P{number}")
    third = programme.clock.now()
    programme.clock.advance(days=10)
    programme.refunds("P2", "94.00")
    with programme.runtime.sessions.begin() as session:
        session.execute(text(REVOKED))  # and no more: so it was left before
        session.execute(text("UPDATE member SET rises = 0, tier_kept_until = NULL"))
    assert api.post("reconciliations").get_json()["mismatches"] == 1

    with programme.runtime.sessions.begin() as session:
        session.execute(text(DISAGREE))
    programme.run("review-tiers")

    assert standing(customer) == ("gold", "gold", third + YEAR)
    in_balance()


@pytest.mark.rule("CG-22")
def test_a_purchase_told_late_moves_the_rise_to_where_it_belongs(programme: Any, standing: Any) -> None:
    first, second = programme.enrol("card:1"), programme.enrol("card:2")
    days = [(30, "500.00"), (20, "500.00"), (10, "500.00")]
    for card, order in (("card:1", days), ("card:2", [days[0], days[2], days[1]])):
        for ago, total in order:
            programme.buys(total, by=card, at=programme.clock.now() - timedelta(days=ago))

    assert standing(first) == standing(second) == ("gold", "gold", programme.clock.now() + timedelta(days=345))


@pytest.mark.rule("CG-22")
def test_a_fall_does_not_outlive_the_purchase_that_should_have_prevented_it(
    programme: Any, standing: Any, recorded: Any, in_balance: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")
    programme.clock.advance(days=365, seconds=1)
    programme.run("review-tiers")
    assert standing(customer) == ("ordinary", "ordinary", None)

    programme.buys("1500.00", at=programme.clock.now() - timedelta(days=60))

    assert standing(customer)[:2] == ("gold", "gold")
    assert [event.data["tier"] for event in recorded(programme.runtime, "tier.changed.v1")] == [
        "gold", "ordinary", "gold",
    ]  # fmt: skip
    in_balance()


@pytest.mark.rule("CG-22")
def test_what_was_paid_back_takes_nothing_from_a_tier_that_an_earlier_rise_keeps(programme: Any, standing: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1100.00")
    gold_until = programme.clock.now() + YEAR
    programme.clock.advance(days=300)
    programme.buys("4000.00", "P2")
    assert standing(customer)[0] == "platinum"

    programme.refunds("P2", "4000.00")

    assert standing(customer) == ("gold", "gold", gold_until)


@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-25")
def test_the_order_of_arrival_decides_nothing(programme: Any, in_balance: Any, standing: Any) -> None:
    now = programme.clock.now()

    def told(card: str, steps: Sequence[Step], order: Sequence[int]) -> None:
        """Purchases and, beside each, its refund: an event's place in ``order`` is when it arrives."""
        events = [
            event
            for ago, total, share in steps
            for event in (
                programme.purchase(f"{total}.00", f"{card}-{ago}", by=card, at=now - timedelta(days=ago)),
                programme.refund(f"{card}-{ago}", f"{total * share // 100}.00", f"R{card}-{ago}") if share else None,
            )
        ]
        for place in order:
            if events[place] is not None:
                assert programme.tell("purchases", events[place]) == ["accepted"]
        programme.run("review-tiers")

    @given(steps=STEPS, draw=st.randoms(use_true_random=False))
    @settings(
        max_examples=int(os.environ.get("KEZHI_EXAMPLES", "2000")) if LONG else 12,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def every_order(steps: list[Step], draw: Any) -> None:
        card = f"card:{next(_numbers)}"
        programme.clock.travel_to(now - 2 * YEAR)
        customer = programme.enrol(card)
        programme.clock.travel_to(now)
        order = list(range(2 * len(steps)))
        draw.shuffle(order)

        told(card, steps, order)

        grown = sorted((now - timedelta(days=ago), total - total * share // 100) for ago, total, share in steps)
        tier, until, after = way_up(grown, now)
        assert standing(customer) == (tier, tier, until), order
        history = [on_record(programme, customer, at) for at, _ in grown]
        assert history == after, order

    every_order()
    in_balance()
