"""The sum of a deadline in the reader's language."""

from __future__ import annotations

from typing import Any

import pytest
from flask import g

from gateway.console.sums import steps

SUM = (
    "received Fri 2026-02-13 17:20; working hours 09:00–12:00, 13:00–18:00; 40 min on Friday; "
    "3 working days from there; 14 Feb is a make-up workday (Spring Festival); "
    "16–20 Feb and 23 Feb off (Spring Festival); due Wed 2026-02-25 17:20"
)


@pytest.fixture
def reading(company: Any) -> Any:
    """``reading(language)`` → the steps of SUM as its readers see them."""
    console = company.http.application.extensions["kezhi_console"]

    def read(language: str, told: str = SUM) -> list[str]:
        with console.test_request_context("/console/"):
            g.language = language
            return steps(told)

    return read


def test_in_chinese_every_step_of_the_sum_is_said_in_chinese(reading: Any) -> None:
    assert reading("zh-CN") == [
        "2026-02-13 17:20（周五） 收到",
        "工作时间 09:00–12:00, 13:00–18:00",
        "周五 余 40 分钟",
        "此后 3 个工作日",
        "2月14日 为调休上班日（春节）",
        "2月16日至20日、2月23日 放假（春节）",
        "2026-02-25 17:20（周三） 截止",
    ]


def test_in_english_it_stays_as_it_was_told(reading: Any) -> None:
    assert "; ".join(reading("en")) == SUM


def test_what_is_not_known_is_shown_as_it_came(reading: Any) -> None:
    assert reading("zh-CN", "24 hours of clock time; something new") == ["连续计时 24 小时", "something new"]


def test_a_pause_is_told_with_what_was_left(reading: Any) -> None:
    told = "waited for the customer from Mon 2026-11-23 09:00 to Tue 2026-11-24 10:00 with 8 h 20 min left"
    assert reading("zh-CN", told) == [
        "2026-11-23 09:00（周一） 至 2026-11-24 10:00（周二） 等待客户，当时剩 8 小时 20 分钟"
    ]
