"""A birthday, solar or lunar, is given what the pack says once a year, and is locked until the next."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from chassis.policies.pack import load
from chassis.policies.problems import PolicyRefused
from loyalty.policy import SECTION

AFTER = "\nredemption:\n"


def granting(section: str) -> dict[str, str]:
    """The default pack with a ``birthday_grant``."""
    return {AFTER: f"\nbirthday_grant: {{{section}}}\n{AFTER}"}


POINTS = granting("points: 50 points, when: birthday, calendars: [lunar, solar], clause: CG-24, ours: true")
CAKE = "benefit: birthday_cake_coupon, valid_for: 7 days, calendars: [lunar, solar], clause: HT-02, ours: true, when: "


@pytest.fixture
def celebrate(programme: Any) -> Any:
    """Run the schedule."""
    return lambda: programme.run("grant-birthdays")


def lunar(month: int, day: int, **more: Any) -> list[dict[str, Any]]:
    return [{"kind": "birthday", "calendar": "lunar", "month": month, "day": day, **more}]


@pytest.mark.rule("CG-24")
@pytest.mark.parametrize("rules", [POINTS])
def test_a_birthday_is_given_its_points_once_and_says_why(
    programme: Any, api: Any, celebrate: Any, recorded: Any, in_balance: Any
) -> None:
    today, tomorrow = (programme.enrol(f"card:{n}", birthday=f"1990-11-{n}") for n in (20, 21))

    celebrate()
    celebrate()

    assert [programme.purse(member)["available"] for member in (today, tomorrow)] == [50, 0]
    (entry,) = api.get(f"members/{today}/entries").get_json()["items"]
    assert (entry["kind"], entry["key"]) == ("birthday", f"birthday-grant:{today}:2026")
    assert (entry["why"]["clause"], entry["why"]["inputs"]["kept_on"]) == ("CG-24", "2026-11-20")
    (event,) = recorded(programme.runtime, "points.earned.v1")
    assert (event.data["kind"], event.data["points"]) == ("birthday", 50)
    programme.clock.advance(days=1)
    celebrate()
    assert programme.purse(tomorrow)["available"] == 50
    in_balance()


@pytest.mark.rule("CG-24")
@pytest.mark.parametrize("rules", [POINTS])
def test_a_lunar_birthday_moves_through_the_solar_year(programme: Any, celebrate: Any) -> None:
    """12th of the tenth month: 20 November 2026, 9 November 2027."""
    member = programme.enrol("card:1", birthday="1990-11-28", special_dates=lunar(10, 12))
    celebrate()
    assert programme.purse(member)["available"] == 50
    programme.clock.advance(days=8)  # the day of the solar one, which they do not keep
    celebrate()
    assert programme.purse(member)["available"] == 50

    programme.clock.travel_to(datetime(2027, 11, 9, 2, tzinfo=UTC))
    celebrate()

    assert programme.purse(member)["available"] == 100


@pytest.mark.parametrize("rules", [POINTS])
def test_a_lunar_birthday_told_as_the_day_it_fell_on_is_the_same(programme: Any, celebrate: Any) -> None:
    dates = [{"kind": "birthday", "calendar": "lunar", "date": "1990-11-28"}]  # the 12th of the tenth month
    member = programme.enrol("card:1", special_dates=dates)

    celebrate()

    assert programme.purse(member)["available"] == 50


@pytest.mark.parametrize("rules", [POINTS])
@pytest.mark.parametrize(
    "changed", [{"birthday": "1990-12-10"}, {"birthday": "1990-11-20", "special_dates": lunar(11, 2)}]
)
def test_a_birthday_changed_after_the_grant_gives_no_second_one(
    programme: Any, celebrate: Any, changed: dict[str, Any]
) -> None:
    member = programme.enrol("card:1", birthday="1990-11-20")
    celebrate()

    programme.tell("customers", programme.customer_event("updated", member, **changed))
    for _ in range(60):
        programme.clock.advance(days=1)
        celebrate()

    assert programme.purse(member)["available"] == 50


@pytest.mark.parametrize("rules", [POINTS])
def test_a_leap_day_is_kept_on_the_28th_and_a_late_worker_misses_nobody(programme: Any, celebrate: Any) -> None:
    born = programme.enrol("card:1", birthday="1992-02-29")
    programme.clock.travel_to(datetime(2027, 3, 2, 2, tzinfo=UTC))
    late = programme.enrol("card:2", birthday="1992-03-01")  # who comes after the day has had it before

    celebrate()

    assert [programme.purse(member)["available"] for member in (born, late)] == [50, 0]


@pytest.mark.parametrize("rules", [POINTS])
def test_many_birthdays_are_given_in_steps_and_who_is_under_review_gets_them_blocked(
    programme: Any, celebrate: Any, in_balance: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("loyalty.grants.birthdays.STEP", 2)
    members = [programme.enrol(f"card:{n}", birthday="1990-11-20") for n in range(5)]
    flags = [{"code": "frequent", "since": "2026-11-01T00:00:00Z"}]
    flagged = programme.enrol("card:f", birthday="1990-11-20", flags=flags)

    celebrate()

    assert [programme.purse(member)["available"] for member in members] == [50] * 5
    assert programme.purse(flagged)["blocked"] == 50
    in_balance()


def test_the_default_pack_gives_nothing(programme: Any, celebrate: Any) -> None:
    member = programme.enrol("card:1", birthday="1990-11-20")

    celebrate()

    assert programme.purse(member)["available"] == 0


@pytest.mark.parametrize("rules", [granting(CAKE + "birthday")])
def test_a_benefit_is_announced_and_moves_no_points(programme: Any, celebrate: Any, recorded: Any) -> None:
    member = programme.enrol("card:1", birthday="1990-11-20")
    programme.enrol("card:f", birthday="1990-11-20", flags=[{"code": "frequent", "since": "2026-11-01T00:00:00Z"}])

    celebrate()
    celebrate()

    (event,) = recorded(programme.runtime, "reward.issued.v1")
    assert (event.data["customer_id"], event.data["kind"]) == (member, "benefit")
    assert (event.data["reward"], event.data["name"]) == ("birthday_cake_coupon", "birthday cake coupon")
    assert event.data["valid_until"] == "2026-11-28T00:00:00+08:00"
    assert programme.rows("SELECT * FROM transaction") == []


@pytest.mark.parametrize("rules", [granting(CAKE + "stays on the day")])
def test_who_stays_on_the_day_is_given_it_at_check_in(programme: Any, celebrate: Any, recorded: Any) -> None:
    staying = programme.enrol("card:1", birthday="1990-11-22")
    keeping_lunar = programme.enrol("card:2", birthday="1990-05-05", special_dates=lunar(10, 14))  # 22 November too
    programme.enrol("card:3", birthday="1990-11-23")
    programme.enrol("card:4", birthday="1990-11-20")  # at home

    def check_in(identity: str, milestone: str = "check_in", until: str = "2026-11-22") -> dict[str, Any]:
        at = (programme.clock.now() - timedelta(hours=1)).isoformat()
        data = {"customer": {"identity": identity}, "milestone": milestone, "at": at, "details": {"until": until}}
        return programme._event("milestone.reached.v1", "/hotel/1", data, identity)

    said = programme.tell(
        "milestones",
        *(check_in(f"card:{n}") for n in (1, 2, 3, 9)),
        check_in("card:1"),  # the room was changed
        check_in("card:3", milestone="hand_over", until="2026-11-30"),
        check_in("card:3", until="the 30th"),
    )
    celebrate()

    issued = {event.data["customer_id"] for event in recorded(programme.runtime, "reward.issued.v1")}
    assert issued == {staying, keeping_lunar}
    assert len(recorded(programme.runtime, "reward.issued.v1")) == 2
    assert said[:-1] == ["accepted"] * 6
    assert "details.until is no day" in said[-1]


@pytest.mark.parametrize(
    ("section", "said"),
    [
        ("when: birthday, calendars: [solar], clause: CG-24", "points or a benefit, one of them"),
        ("points: 5 points, benefit: cake, when: birthday, calendars: [solar], clause: CG-24", "one of them"),
        ("points: 0 points, when: birthday, calendars: [solar], clause: CG-24", "nothing is given"),
        ("points: 5 points, valid_for: 7 days, when: birthday, calendars: [solar], clause: CG-24", "for a benefit"),
        ("points: 5 points, when: birthdy, calendars: [solar], clause: CG-24", "did you mean `birthday`?"),
        ("points: 5 points, when: birthday, calendars: [lunr], clause: CG-24", "did you mean `lunar`?"),
        ("points: 5 points, when: birthday, calendars: [], clause: CG-24", "at least 1 item needed"),
        ("points: 5 points, when: birthday, calendars: [solar]", "names no clause"),
    ],
)
def test_a_slip_of_the_pen_is_refused_with_its_mend(pack_saying: Any, section: str, said: str) -> None:
    with pytest.raises(PolicyRefused, match="birthday_grant") as refused:
        SECTION.read(load(pack_saying(granting(section))))

    assert said in str(refused.value)
