"""How dates, numbers and our own codes are said in Chinese and in English. Pure.

A code that is not in these tables (a company's own clock or tier) is said as it is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from datetime import date, datetime
from zoneinfo import ZoneInfo

WORDS: Mapping[str, Mapping[str, tuple[str, str]]] = {  # table → code → (Chinese, English)
    "status": {
        "received": ("已收到", "received"),
        "acknowledged": ("已受理", "acknowledged"),
        "triaged": ("已分派", "assigned to a team"),
        "investigating": ("处理中", "being looked into"),
        "proposed": ("方案审批中", "solution awaiting approval"),
        "approved": ("方案已批准", "solution approved"),
        "resolved": ("已解决", "resolved"),
        "calling_back": ("回访中", "being followed up"),
        "closed": ("已结案", "closed"),
        "unfounded": ("不成立", "not upheld"),
        "withdrawn": ("已撤回", "withdrawn"),
        "waiting_for_customer": ("等待客户回复", "waiting for the customer"),
    },
    "clock": {
        "first_contact": ("首次联系", "first contact"),
        "answer": ("答复", "answer"),
        "progress": ("进展告知", "progress update"),
        "resolution": ("解决", "resolution"),
        "promise": ("承诺", "promise"),
        "callback": ("回访", "call-back"),
        "approval": ("审批", "approval"),
        "appeal": ("申诉", "appeal"),
    },
    "kind": {
        "complaint": ("投诉", "complaint"),
        "inquiry": ("咨询", "inquiry"),
        "opinion": ("意见", "opinion"),
        "suggestion": ("建议", "suggestion"),
        "report": ("举报", "report"),
        "praise": ("表扬", "praise"),
    },
    "tier": {
        "ordinary": ("普通会员", "Member"),
        "gold": ("金卡会员", "Gold"),
        "platinum": ("白金会员", "Platinum"),
        "diamond": ("钻石会员", "Diamond"),
    },
    "currency": {
        "CNY": ("元", "CNY"),
    },
    "visit": {
        "regular": ("定期拜访", "regular visit"),
        "return": ("回访", "return visit"),
        "courtesy": ("礼节性拜访", "courtesy visit"),
    },
    "answered": {
        "1": ("非常满意", "very satisfied"),
        "2": ("满意", "satisfied"),
        "3": ("一般", "neither satisfied nor dissatisfied"),
        "4": ("不满意", "dissatisfied"),
        "5": ("非常不满意", "very dissatisfied"),
    },
}
_WEEKDAYS = ("一二三四五六日", ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"))
_MONTHS = (
    "January", "February", "March", "April", "May", "June", "July", "August", "September", "October", "November",
    "December",
)  # fmt: skip
_NAME_SIGNS = frozenset("·•.-'’ ")
_LONGEST_NAME = {True: 16, False: 40}  # written in Chinese characters, or otherwise


def chinese(locale: str) -> bool:
    """Whether a language is written with the Chinese words here; all others read English."""
    return locale.partition("-")[0] == "zh"


def word(table: str, code: object, locale: str) -> str:
    """The word for one of our codes."""
    found = WORDS[table].get(str(code))
    return str(code) if found is None else found[0 if chinese(locale) else 1]


def moment(value: str, locale: str, zone: ZoneInfo) -> str:
    """An instant as people say it, in the company's time.

    >>> moment("2026-11-26T09:20:00Z", "zh-CN", ZoneInfo("Asia/Shanghai"))
    '11月26日（周四）17:20'
    """
    at = datetime.fromisoformat(value).astimezone(zone)
    if chinese(locale):
        return f"{at.month}月{at.day}日（周{_WEEKDAYS[0][at.weekday()]}）{at:%H:%M}"
    return f"{at:%H:%M} on {_WEEKDAYS[1][at.weekday()]} {at.day} {_MONTHS[at.month - 1]}"


def day(value: str, locale: str, zone: ZoneInfo) -> str:
    """A calendar day, or the company's day of an instant.

    >>> day("2026-12-31", "en", ZoneInfo("Asia/Shanghai"))
    '31 December 2026'
    """
    on = date.fromisoformat(value) if len(value) == 10 else datetime.fromisoformat(value).astimezone(zone).date()
    if chinese(locale):
        return f"{on.year}年{on.month}月{on.day}日"
    return f"{on.day} {_MONTHS[on.month - 1]} {on.year}"


def number(value: object) -> str:
    """A number with its thousands apart: 12345.50 → 12,345.50."""
    whole, point, fraction = str(value).partition(".")
    return f"{int(whole):,}{point}{fraction}"


def lateness(seconds: int, locale: str) -> str:
    """How late, in the two largest units: 7380 → 2 小时 3 分钟."""
    hours, minutes = divmod(max(1, seconds // 60), 60)
    units = ("小时", "分钟") if chinese(locale) else ("h", "min")
    return " ".join(f"{amount} {unit}" for amount, unit in zip((hours, minutes), units, strict=True) if amount)


def called(name: str | None) -> str:
    """A name fit to open a letter with, or nothing.

    Whoever writes to us through the portal types their own name and anyone's telephone number. What is no name (an
    address of a web page, a figure, a sentence) is left out, so that nobody sends their own words in our messages.
    """
    words = " ".join((name or "").split())
    characters = [character for character in words if character not in _NAME_SIGNS]
    letters = bool(characters) and all(unicodedata.category(character)[0] in "LM" for character in characters)
    ideographs = any("㐀" <= character <= "鿿" or character > "\U0001ffff" for character in characters)
    dotted = any(words[place] == "." and words[place + 1 : place + 2].strip() for place in range(len(words)))
    return words if letters and not dotted and len(words) <= _LONGEST_NAME[ideographs] else ""


def greeting(name: str | None, locale: str) -> str:
    """How a message begins.

    >>> greeting("王芳", "zh-CN"), greeting("http://evil.example", "en")
    ('王芳，您好！', 'Hello,')
    """
    fit = called(name)
    if chinese(locale):
        return f"{fit}，您好！" if fit else "您好！"
    return f"Hello {fit}," if fit else "Hello,"
