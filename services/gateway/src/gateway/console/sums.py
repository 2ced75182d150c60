"""How a deadline was worked out, in the reader's language.

The complaint service tells the sum of each clock as English steps (`received Fri 2026-02-13 17:20; 1 working day from
there; due …`). A step that is known here is said in the reader's words; any other is shown as it came, for a sum half
told would be worse than one in English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date

from gateway.console.words import N_, gettext, language

_DAYS = {"Mon": "周一", "Tue": "周二", "Wed": "周三", "Thu": "周四", "Fri": "周五", "Sat": "周六", "Sun": "周日"}
_FULL = {
    "Monday": "周一", "Tuesday": "周二", "Wednesday": "周三", "Thursday": "周四", "Friday": "周五", "Saturday": "周六",
    "Sunday": "周日",
}  # fmt: skip
_MONTHS = {f"{date(2000, n, 1):%b}": str(n) for n in range(1, 13)}
_OCCASIONS = {
    "New Year's Day": "元旦", "Spring Festival": "春节", "Tomb-sweeping Day": "清明节", "Labour Day": "劳动节",
    "Dragon Boat Festival": "端午节", "National Day": "国庆节", "Mid-autumn Festival": "中秋节",
}  # fmt: skip
_MOMENT = r"(\w{3} \d{4}-\d\d-\d\d \d\d:\d\d)"
_LENGTH = r"((?:\d+ (?:h|min) ?)+)"


def _moment(text: str) -> str:
    return f"{text[4:]}（{_DAYS.get(text[:3], text[:3])}）"


def _length(text: str) -> str:
    return re.sub(r"(\d+) min", r"\1 分钟", re.sub(r"(\d+) h\b", r"\1 小时", text)).strip()


def _within(text: str) -> str:
    units = {"working day": "个工作日", "working hour": "个工作小时", "hour": "小时", "day": "天", "minute": "分钟"}
    return re.sub(
        r"(\d+) (working day|working hour|hour|day|minute)s?", lambda found: f"{found[1]} {units[found[2]]}", text
    )


def _days(text: str) -> str:
    text = re.sub(
        r"(\d+)–(\d+) ([A-Z][a-z]{2})", lambda found: f"{_MONTHS[found[3]]}月{found[1]}日至{found[2]}日", text
    )
    text = re.sub(r"(\d+) ([A-Z][a-z]{2})", lambda found: f"{_MONTHS[found[2]]}月{found[1]}日", text)
    return text.replace(", ", "、").replace(" and ", "、")


def _occasion(text: str) -> str:
    return _OCCASIONS.get(text, text)


def _weekday(text: str) -> str:
    return _FULL.get(text, text)


def _as_it_is(text: str) -> str:
    return text.replace(" and ", "、")


_STEPS: tuple[tuple[str, str, Mapping[str, Callable[[str], str]]], ...] = (
    (rf"received {_MOMENT}", N_("received %(at)s"), {"at": _moment}),
    (rf"resolved {_MOMENT}", N_("resolved %(at)s"), {"at": _moment}),
    (rf"round opened {_MOMENT}", N_("round opened %(at)s"), {"at": _moment}),
    (rf"proposed {_MOMENT}", N_("proposed %(at)s"), {"at": _moment}),
    (rf"first contact {_MOMENT}", N_("first contact %(at)s"), {"at": _moment}),
    (rf"last contact {_MOMENT}", N_("last contact %(at)s"), {"at": _moment}),
    (rf"raised to level (\d) {_MOMENT}", N_("raised to level %(n)s %(at)s"), {"n": _as_it_is, "at": _moment}),
    (rf"promised {_MOMENT} \((.*)\)", N_("promised %(at)s (%(why)s)"), {"at": _moment, "why": _as_it_is}),
    (rf"outside them, so counted from {_MOMENT}", N_("outside them, so counted from %(at)s"), {"at": _moment}),
    (r"working hours (\d\d:\d\d.*)", N_("working hours %(hours)s"), {"hours": _as_it_is}),
    (rf"{_LENGTH} on (\w+day)", N_("%(length)s on %(day)s"), {"length": _length, "day": _weekday}),
    (r"(.*) of clock time", N_("%(length)s of clock time"), {"length": _within}),
    (r"(.*) from there", N_("%(length)s from there"), {"length": _within}),
    (
        r"(.*) is a make-up workday \((.*)\)",
        N_("%(day)s is a make-up workday (%(why)s)"),
        {"day": _days, "why": _occasion},
    ),
    (r"(.*) is a make-up workday", N_("%(day)s is a make-up workday"), {"day": _days}),
    (r"(.*) off \((.*)\)", N_("%(days)s off (%(why)s)"), {"days": _days, "why": _occasion}),
    (
        rf"waited for the customer from {_MOMENT} to {_MOMENT} with {_LENGTH} left",
        N_("waited for the customer from %(begin)s to %(end)s with %(left)s left"),
        {"begin": _moment, "end": _moment, "left": _length},
    ),
    (
        r"provisional: the holidays of (.*) are not published yet",
        N_("provisional: the holidays of %(years)s are not published yet"),
        {"years": _as_it_is},
    ),
    (rf"due {_MOMENT}", N_("due %(at)s"), {"at": _moment}),
)
_KNOWN = tuple((re.compile(f"^{pattern}$"), text, says) for pattern, text, says in _STEPS)


def steps(explanation: str) -> list[str]:
    """The steps of a sum, each in the reader's language where it is known."""
    told = explanation.split("; ")
    return told if language() == "en" else [_said(step) for step in told]


def _said(step: str) -> str:
    for pattern, text, says in _KNOWN:
        if found := pattern.match(step):
            values = {name: say(value) for (name, say), value in zip(says.items(), found.groups(), strict=True)}
            return gettext(text, **values)
    return step
