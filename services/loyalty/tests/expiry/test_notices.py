"""Members hear 30, 7 and 1 days ahead what will lapse: once each, all of theirs in one word."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from loyalty.expiry import noticing

LAST_DAY = "2026-12-31"  # of what was earned in 2025


@pytest.fixture
def told(programme: Any, recorded: Any) -> Any:
    """``told()`` runs the morning's schedule and answers (days ahead, points, what on which day) of all notices."""

    def run() -> list[tuple[int, int, list[tuple[int, str]]]]:
        programme.run("notify-of-expiry")
        found = [event.data for event in recorded(programme.runtime, "points.expiring.v1")]
        return [
            (one["notice_days"], one["points"], [(part["points"], part["on"]) for part in one["expiring"]])
            for one in found
        ]

    return run


def at(programme: Any, day: str) -> None:
    programme.clock.travel_to(datetime.fromisoformat(f"{day}T02:00:00+00:00"))


@pytest.mark.rule("CG-22")
def test_thirty_seven_and_one_days_ahead_once_each(programme: Any, told: Any) -> None:
    programme.enrol("card:1")
    for number, total in enumerate(("100.00", "50.00")):
        programme.buys(total, f"P{number}", at=datetime(2025, 3, 1 + number, tzinfo=UTC))
    programme.run("release-pending")

    at(programme, "2026-11-30")
    assert told() == [], "31 days ahead is too early"
    at(programme, "2026-12-01")
    assert told() == told() == [(30, 150, [(150, LAST_DAY)])], "two lots of one end are one word; told again: nothing"
    at(programme, "2026-12-10")
    assert len(told()) == 1
    at(programme, "2026-12-24")
    assert told()[1:] == [(7, 150, [(150, LAST_DAY)])]
    at(programme, "2026-12-30")
    assert told()[2:] == [(1, 150, [(150, LAST_DAY)])]
    at(programme, "2027-01-02")
    programme.run("expire-lots")
    assert len(told()) == 3


def test_a_late_notice_is_told_and_only_the_nearest(programme: Any, told: Any) -> None:
    programme.enrol("card:1")
    programme.buys("100.00", "P1", at=datetime(2025, 3, 1, tzinfo=UTC))
    programme.run("release-pending")
    at(programme, "2026-12-27")

    assert told() == [(7, 100, [(100, LAST_DAY)])]


def test_what_is_spent_or_set_aside_or_under_review_lapses_for_nobody(programme: Any, api: Any, told: Any) -> None:
    member = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=datetime(2025, 3, 1, tzinfo=UTC))
    programme.run("release-pending")
    at(programme, "2026-12-01")
    held = api.post("holds", {"customer_id": member, "points": 60, "expires_in": 7 * 86_400})
    assert held.status_code == 201

    assert told() == [(30, 40, [(40, LAST_DAY)])]


def test_many_members_in_steps(programme: Any, told: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(noticing, "STEP", 3)
    for number in range(8):
        programme.enrol(f"card:{number}")
        programme.buys("10.00", f"P{number}", by=f"card:{number}", at=datetime(2025, 3, 1, tzinfo=UTC))
    programme.run("release-pending")
    at(programme, "2026-12-01")

    assert told() == [(30, 10, [(10, LAST_DAY)])] * 8
    assert len(told()) == 8
