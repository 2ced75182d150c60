"""May it go now? Each rule alone, with plain values."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chassis.policies.pack import load
from notify.messages.judging import Standing, Word, consented, judge, pause
from notify.messages.lifecycle import LIFECYCLE, TERMINAL, after, allowed
from notify.policy import SECTION

POLICY = SECTION.read(load(Path(__file__).resolve().parents[4] / "policies" / "consumer-goods"))
NOON = datetime(2026, 11, 20, 4, 0, tzinfo=UTC)
NIGHT = datetime(2026, 11, 20, 14, 30, tzinfo=UTC)  # 22:30 in Shanghai
GUEST = Standing("customer")
YES, NO = (True, NOON), (False, NOON + timedelta(days=1))


def word(class_: str = "service", channel: str = "sms", **more: bool) -> Word:
    return Word(class_, channel, more.get("urgent", False), more.get("by_law", False), NIGHT + timedelta(days=3))


def say(word: Word, guest: Standing = GUEST, at: datetime = NOON, lately: int = 0, address: str | None = "+861") -> str:
    verdict = judge(word, guest, address, False, lately, POLICY, at)
    return verdict.kind if verdict.why is None else f"{verdict.kind}: {verdict.why}"


def test_a_service_message_goes():
    assert say(word()) == "send"


@pytest.mark.rule("CC-05")
@pytest.mark.parametrize(
    ("consents", "said"),
    [
        ({}, "suppress: no consent to marketing"),
        ({("marketing", "any"): YES}, "send"),
        ({("marketing", "sms"): YES}, "send"),
        ({("marketing", "email"): YES}, "suppress: no consent to marketing"),
        ({("marketing", "any"): YES, ("marketing", "sms"): NO}, "suppress: consent to marketing was withdrawn"),
        ({("marketing", "any"): NO, ("marketing", "sms"): YES}, "suppress: consent to marketing was withdrawn"),
    ],
)
def test_marketing_never_goes_without_consent_and_the_last_word_counts(consents, said):
    assert say(word("marketing"), replace(GUEST, consents=consents)) == said


@pytest.mark.rule("CC-05")
def test_care_goes_until_it_is_withdrawn_and_service_goes_always():
    withdrawn = replace(GUEST, consents={("care", "any"): NO, ("service", "any"): NO})
    assert say(word("care")) == "send"
    assert say(word("care"), withdrawn) == "suppress: consent to care was withdrawn"
    assert say(word("service"), withdrawn) == "send"


def test_what_a_customer_switched_off_stays_off_on_that_channel():
    picky = replace(GUEST, off=frozenset({("care", "sms")}))
    assert say(word("care"), picky) == "suppress: the customer does not want care over sms"
    assert say(word("care", "email"), picky) == "send"


@pytest.mark.rule("CG-24", partly="care plans are read, not run yet")
def test_care_and_marketing_are_held_while_a_complaint_is_open():
    angry = replace(GUEST, complaint_open=True, consents={("marketing", "any"): YES})
    assert say(word("care"), angry) == "hold: the customer has an open complaint"
    assert say(word("marketing"), angry) == "hold: the customer has an open complaint"
    assert say(word("service"), angry) == "send"


@pytest.mark.rule("CC-05")
def test_too_many_are_prevented():
    assert say(word("care"), lately=3) == "send"
    assert say(word("care"), lately=4) == "suppress: 4 care messages within 30 days; at most 4"
    assert say(word("service"), lately=400) == "send"


@pytest.mark.rule("CG-24", partly="care plans are read, not run yet")
@pytest.mark.parametrize(
    ("local", "until"),
    [
        ("2026-11-20T20:59:59", None), ("2026-11-20T21:00:00", "2026-11-21T08:00:00"),
        ("2026-11-21T03:00:00", "2026-11-21T08:00:00"), ("2026-11-21T08:00:00", None),
    ],
)  # fmt: skip
def test_quiet_hours_queue_until_the_morning(local, until):
    zone = ZoneInfo("Asia/Shanghai")
    at = datetime.fromisoformat(local).replace(tzinfo=zone).astimezone(UTC)
    verdict = judge(word(), GUEST, "+861", False, 0, POLICY, at)
    assert verdict.until == (datetime.fromisoformat(until).replace(tzinfo=zone) if until else None)
    assert verdict.kind == ("wait" if until else "send")


def test_quiet_hours_are_the_recipients_own():
    in_london = replace(GUEST, zone=ZoneInfo("Europe/London"))
    sleeps_at_noon = replace(GUEST, quiet=(time(11), time(14)))
    assert say(word(), in_london, NIGHT) == "send"  # 14:30 there
    assert judge(word(), sleeps_at_noon, "+861", False, 0, POLICY, NOON).until == datetime(2026, 11, 20, 6, tzinfo=UTC)


def test_what_was_asked_for_this_minute_and_what_makes_no_noise_goes_at_night():
    assert say(word(urgent=True), at=NIGHT) == "send"
    assert say(word(channel="webhook"), at=NIGHT) == "send"
    assert say(word(), Standing("staff"), NIGHT) == "send"


def test_the_blacklisted_hear_only_what_the_law_asks_and_the_erased_nothing():
    banned, gone = replace(GUEST, blacklisted=True), replace(GUEST, erased=True)
    assert say(word(), banned) == "suppress: the customer is blacklisted"
    assert say(word(by_law=True), banned) == "send"
    assert say(word(by_law=True), gone) == "suppress: the customer's data were erased"


def test_a_message_whose_time_is_over_is_not_sent():
    assert say(word(), at=NIGHT + timedelta(days=3)) == "expire: its time was over before it could be sent"


def test_pauses_double_are_bounded_and_shaken():
    minute, hour = timedelta(minutes=1), timedelta(hours=1)
    assert [pause(n, minute, hour, 0.5) for n in (1, 2, 3, 7)] == [minute, 2 * minute, 4 * minute, hour]
    assert pause(1, minute, hour, 0.0) == timedelta(seconds=48)
    assert pause(1, minute, hour, 1.0) == timedelta(seconds=72)


def test_every_status_leads_to_an_end():
    reached = set(TERMINAL)
    while grown := {row.status for row in LIFECYCLE if row.to in reached} - reached:
        reached |= grown
    assert {row.status for row in LIFECYCLE} <= reached
    assert after("queued", "begin") == "sending"
    assert allowed("delivered") == []


def test_consent_nobody_ever_spoke_of_is_unknown():
    assert consented("care", "sms", GUEST) is None
