"""Periods are settled once each, whoever was away, merged, under review, or became a dealer too late."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

REBATES = """rebates:
  clause: LQ-05
  every: quarter
  paid: 15 days
  of: the whole
  levels:
    - level: dealer
      when: {classes: {trade: [dealer]}}
      brackets: [{at: 1000 growth, rebate: 50 points}, {at: 5000 growth, rebate: 400 points}]

sanity:  """
DEALER = {"classes": {"trade": {"value": "dealer"}}}
FOURTH = datetime(2027, 1, 15, 16, tzinfo=UTC)  # from here on the last quarter of 2026 may be settled
pytestmark = pytest.mark.parametrize("rules", [{"sanity:  ": REBATES}])


def settle(programme: Any, at: datetime) -> list[tuple[str, str, int]]:
    """Settle; every rebate there is by now, as (customer, period, points)."""
    programme.clock.travel_to(at)
    programme.run("settle-rebates")
    found = programme.rows("SELECT member_id::text, period, points FROM rebate ORDER BY period, member_id")
    return [tuple(row.values()) for row in found]


def updated(programme: Any, customer: str, **state: Any) -> None:
    event = programme.customer_event("updated", customer, identities=[{"scheme": "card", "value": "1"}], **state)
    assert programme.tell("customers", event) == ["accepted"]


@pytest.mark.rule("LQ-05")
def test_a_worker_that_was_away_settles_every_period_that_waited(programme: Any, in_balance: Any) -> None:
    dealer = programme.enrol("card:1", **DEALER)
    programme.buys("1200.00")
    assert settle(programme, FOURTH) == [(dealer, "2026-Q4", 50)]
    programme.buys("5000.00", at=FOURTH)

    assert settle(programme, datetime(2027, 7, 20, tzinfo=UTC)) == [
        (dealer, "2026-Q4", 50), (dealer, "2027-Q1", 400), (dealer, "2027-Q2", 0),
    ]  # fmt: skip
    in_balance()


def test_whoever_becomes_a_dealer_later_has_no_part_in_what_was_settled(programme: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1200.00")
    assert settle(programme, FOURTH) == []
    programme.buys("1200.00")

    updated(programme, customer, **DEALER)

    assert settle(programme, FOURTH.replace(day=16)) == []
    assert settle(programme, datetime(2027, 4, 20, tzinfo=UTC)) == [(customer, "2027-Q1", 50)]


@pytest.mark.rule("AD-06", partly="standing follows the registry; who is blacklisted is its decision")
def test_the_rebate_of_who_is_blacklisted_is_blocked(programme: Any, in_balance: Any) -> None:
    dealer = programme.enrol("card:1", **DEALER)
    programme.buys("1200.00")
    barred = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}
    updated(programme, dealer, standing=barred, **DEALER)

    assert settle(programme, FOURTH) == [(dealer, "2026-Q4", 50)]

    assert programme.purse(dealer)["blocked"] == 50
    in_balance()
