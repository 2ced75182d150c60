"""Two languages: gettext catalogues compiled at start, and how times, amounts and code words read in each.

A msgid is the English text itself. ``words/<area>.po`` carries the Chinese one; a test finds every text that a page or
a module shows and that no catalogue translates.
"""

from __future__ import annotations

import io
import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from decimal import Decimal, InvalidOperation
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from babel import Locale, dates, numbers
from babel.messages.catalog import Catalog
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from flask import g, has_request_context, request
from markupsafe import Markup, escape

FOLDER = Path(__file__).parent / "words"
LANGUAGES: Mapping[str, str] = {"zh-CN": "中文", "en": "English"}
COOKIE = "kezhi_lang"
ZONE_COOKIE = "kezhi_tz"
_LOCALES = {"zh-CN": Locale("zh", "CN", "Hans"), "en": Locale("en", "US")}
_ZONE = re.compile(r"^[A-Za-z][A-Za-z0-9_+-]*(/[A-Za-z0-9_+-]+){0,2}$")
_CODE = re.compile(r"^[a-z]+(_[a-z]+)*$")
_ABBREVIATED = {"Sms": "SMS", "Api key": "API key"}  # nobody says Sms
_MOBILE = re.compile(r"^\+861[\d*]{10}$")


def N_(message: str) -> str:  # noqa: N802 - gettext's own name for it, which extractors know
    """Marks a text that is translated later, where it is shown."""
    return message


@cache
def catalogue() -> Translations:
    """All areas' Chinese texts as one compiled catalogue."""
    whole = Catalog(locale="zh_Hans_CN")
    for path in sorted(FOLDER.glob("*.po")):
        with path.open("rb") as file:
            for message in read_po(file, locale="zh_Hans_CN"):
                if message.id and message.string:
                    whole[message.id] = message
    compiled = io.BytesIO()
    write_mo(compiled, whole)
    compiled.seek(0)
    return Translations(compiled)


def language() -> str:
    """The reader's language: their own choice, else what their browser asks for, else Chinese."""
    if not has_request_context():
        return "en"
    chosen: str | None = g.get("language")
    if chosen is None:
        wished = request.cookies.get(COOKIE, "")
        chosen = wished if wished in LANGUAGES else request.accept_languages.best_match(["zh-CN", "zh", "en"], "zh-CN")
        g.language = chosen = "zh-CN" if chosen.startswith("zh") else "en"
    return chosen


def _texts() -> NullTranslations:
    return catalogue() if language() == "zh-CN" else NullTranslations()


def gettext(message: str, **values: Any) -> str:
    """The text in the reader's language; ``%(name)s`` takes the values. Where one is markup (a ``when``), so is all."""
    text = _texts().gettext(message)
    if any(isinstance(value, Markup) for value in values.values()):
        return escape(text) % values
    return text % values if values else text


def ngettext(singular: str, plural: str, n: int, **values: Any) -> str:
    """As ``gettext``, for a number of things; ``%(n)s`` is the number."""
    return _texts().ngettext(singular, plural, n) % {"n": number(n), **values}


def term(code: Any) -> str:
    """A code word of the API (``calling_back``) as people say it."""
    if code is None or code == "":
        return "–"
    said = str(code).replace("_", " ").replace("-", " ").capitalize()
    return gettext(said) if language() != "en" else _ABBREVIATED.get(said, said)


# Times: in the reader's zone (a cookie that the page sets), with the exact time on hover.


def zone() -> ZoneInfo:
    """The reader's time zone; the company's until their browser has told it."""
    told: ZoneInfo | None = g.get("zone")
    if told is None:
        name = request.cookies.get(ZONE_COOKIE, "").replace("%2F", "/")
        try:
            told = ZoneInfo(name) if _ZONE.match(name) else g.company_zone
        except (KeyError, ValueError, OSError):
            told = g.company_zone
        g.zone = told
    return told


def instant(value: Any) -> datetime | None:
    """A time of the API's as a datetime in the reader's zone."""
    if value is None or value == "":
        return None
    moment = value if isinstance(value, datetime) else datetime.fromisoformat(str(value))
    return moment.astimezone(zone())


def when(value: Any) -> Markup:
    """``<time>``: short where it is near (14:05, 13 Feb 17:20), the exact time in its title."""
    moment = instant(value)
    if moment is None:
        return Markup("–")
    now = g.now.astimezone(zone())
    if moment.date() == now.date():
        short = dates.format_time(moment, "HH:mm", locale=_locale())
    else:
        near = moment.year == now.year
        pattern = ("MMMd HH:mm" if near else "yyyyMMMd") if language() == "en" else ("Md HH:mm" if near else "yMd")
        short = _dated(moment, pattern)
    return Markup('<time datetime="{}" title="{}">{}</time>').format(moment.isoformat(), exact(moment), short)


def _dated(moment: datetime, pattern: str) -> str:
    words = {
        "MMMd HH:mm": "d MMM HH:mm",
        "yyyyMMMd": "d MMM y",
        "Md HH:mm": "M月d日 HH:mm",
        "yMd": "y年M月d日",
    }
    return dates.format_datetime(moment, words[pattern], locale=_locale())


def exact(value: Any) -> str:
    """The whole time with its zone: 2026-02-13 17:20:05 Asia/Shanghai."""
    moment = instant(value)
    return f"{moment:%Y-%m-%d %H:%M:%S} {zone().key}" if moment else "–"


def day(value: Any) -> str:
    """A date alone."""
    if not value:
        return "–"
    found = value if isinstance(value, date) else date.fromisoformat(str(value)[:10])
    return dates.format_date(found, "d MMM y" if language() == "en" else "y年M月d日", locale=_locale())


def month(value: Any) -> str:
    """A month as the head of a part of a time line."""
    moment = instant(value)
    if moment is None:
        return "–"
    return dates.format_date(moment.date(), "MMMM y" if language() == "en" else "y年M月", locale=_locale())


def span(length: timedelta | float) -> str:
    """A length of time in its two largest units: 3 d 4 h, 2 h 10 min, 5 min."""
    minutes = int(abs(length.total_seconds() if isinstance(length, timedelta) else length) // 60)
    days, hours, rest = minutes // 1440, minutes % 1440 // 60, minutes % 60
    if days:
        told = [gettext("%(n)s d", n=days)] + ([gettext("%(n)s h", n=hours)] if hours and days < 10 else [])
    elif hours:
        told = [gettext("%(n)s h", n=hours)] + ([gettext("%(n)s min", n=rest)] if rest else [])
    else:
        told = [gettext("%(n)s min", n=rest)]
    return " ".join(told)


def ago(value: Any) -> str:
    """How long since, or until: 2 h ago, in 3 d."""
    moment = instant(value)
    if moment is None:
        return "–"
    gone = g.now - moment
    if abs(gone) < timedelta(minutes=1):
        return gettext("just now")
    return gettext("%(t)s ago", t=span(gone)) if gone > timedelta(0) else gettext("in %(t)s", t=span(gone))


def time_left(due: Any) -> str:
    """The words on a running clock; the page's script counts them down in the same words."""
    moment = instant(due)
    if moment is None:
        return "–"
    left = moment - g.now
    if left < timedelta(0):
        return gettext("overdue by %(t)s", t=span(left))
    return gettext("%(t)s left", t=span(left))


# Numbers


def number(value: Any) -> str:
    """With thousands separators; as it came where it is no number."""
    if value is None or value == "":
        return "–"
    try:
        return numbers.format_decimal(Decimal(str(value)), locale=_locale())
    except (InvalidOperation, ValueError):
        return str(value)


def money(value: Any, currency: str | None = None) -> str:
    """An amount: a decimal string with its currency, or ``{"amount", "currency"}``."""
    if isinstance(value, Mapping):
        value, currency = value.get("amount"), value.get("currency")
    if value is None or value == "":
        return "–"
    shown = numbers.format_currency(Decimal(str(value)), currency or g.company_currency, locale=_locale())
    return shown.replace("CN¥", "¥") if g.company_currency == "CNY" else shown  # at home it needs no country


def percent(value: Any) -> str:
    """A share of one: 0.256 is 25.6 %."""
    if value is None or value == "":
        return "–"
    return numbers.format_percent(Decimal(str(value)), "#,##0.#%", locale=_locale())


def in_words(message: Any) -> str:
    """A service's message as the reader knows it, where a catalogue has it."""
    return _texts().gettext(str(message)) if message else ""


def phone(value: Any) -> str:
    """A telephone number as people read it out: a Chinese mobile in groups, others as they are kept."""
    text = str(value or "")
    if _MOBILE.match(text):
        return f"{text[3:6]} {text[6:10]} {text[10:]}"
    return text or "–"


def spoken(text: Any) -> str:
    """A line of facts between dots, with code words and numbers as people say them."""
    return " · ".join(_spoken(piece) for piece in str(text or "").split(" · "))


def _spoken(piece: str) -> str:
    return term(piece) if _CODE.match(piece) else phone(piece) if _MOBILE.match(piece) else piece


def lines(text: Any) -> Markup:
    """Text as someone typed it: its line breaks are kept."""
    return Markup("<br>").join(escape(line) for line in str(text or "").splitlines())


def _locale() -> Locale:
    return _LOCALES[language()]


def translated(option: tuple[str, str]) -> tuple[str, str]:
    """An option of a select, its label in the reader's language."""
    return option[0], gettext(option[1])


FILTERS = {
    "translated": translated,
    "term": term,
    "when": when,
    "exact": exact,
    "day": day,
    "month": month,
    "ago": ago,
    "span": span,
    "number": number,
    "money": money,
    "percent": percent,
    "lines": lines,
    "in_words": in_words,
    "phone": phone,
    "instant": instant,
}
