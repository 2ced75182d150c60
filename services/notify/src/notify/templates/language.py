"""The language that texts are written in: Jinja2's sandbox with a short list of filters, and nothing that computes.

``{{ number }}``, ``{{ clock.due_at | moment }}``, ``{% if … %}``, ``{% for … %}``. Whatever is filled in stays on its
line: control characters and characters that turn the direction of writing are taken out, so that a name can neither
break a header nor pretend to be another line. ``| lines`` keeps the line breaks of texts that have some.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable
from functools import cache, lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import ChainableUndefined, Template, Undefined, pass_context
from jinja2.runtime import Context
from jinja2.sandbox import ImmutableSandboxedEnvironment
from markupsafe import Markup, escape

from notify.templates import words

_DIRECTIONS = frozenset("\u061c\u200b\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2060\u2066\u2067\u2068\u2069\ufeff")


class Lines(str):
    """Text that may keep its line breaks."""


def one_line(value: str) -> str:
    """The text on one line, without what can't be seen."""
    return " ".join(_visible(value).split())


def _visible(value: str) -> str:
    return "".join(
        " " if unicodedata.category(character) in ("Cc", "Zl", "Zp") else character
        for character in value
        if character not in _DIRECTIONS
    )


def lines(value: Any) -> Lines:
    """Text of several lines: each without what can't be seen, blank lines at the ends left out."""
    return Lines("\n".join(_visible(line).rstrip() for line in str(value).splitlines()).strip("\n"))


def _finish(value: Any) -> Any:
    if value is None or isinstance(value, Undefined):
        return ""
    if isinstance(value, Markup | Lines) or not isinstance(value, str):
        return value
    return one_line(value)


def _marked_up(value: Any) -> Markup:
    return Markup("<br>\n").join(escape(line) for line in lines(value).split("\n"))


def _said(table: str) -> Callable[..., str]:
    @pass_context
    def filter_(context: Context, value: Any) -> str:
        return "" if _nothing(value) else words.word(table, value, context["_locale"])

    return filter_


def _timed(say: Callable[[str, str, ZoneInfo], str]) -> Callable[..., str]:
    @pass_context
    def filter_(context: Context, value: Any) -> str:
        return "" if _nothing(value) else say(value, context["_locale"], context["_zone"])

    return filter_


@pass_context
def _lateness(context: Context, value: Any) -> str:
    return "" if _nothing(value) else words.lateness(value, context["_locale"])


def _number(value: Any) -> str:
    return "" if _nothing(value) else words.number(value)


def _nothing(value: Any) -> bool:
    return value is None or isinstance(value, Undefined)


OWN = {
    **{table: _said(table) for table in words.WORDS},
    "moment": _timed(words.moment),
    "day": _timed(words.day),
    "number": _number,
    "lateness": _lateness,
    "lines": lines,
}
BORROWED = ("default", "length", "first", "last", "join", "lower", "upper", "truncate")
FILTERS = frozenset(OWN) | frozenset(BORROWED)
TESTS = frozenset({"defined", "none"})


@cache
def environment(*, markup: bool) -> ImmutableSandboxedEnvironment:
    """The sandbox for plain text or for HTML, where everything filled in is escaped."""
    made = ImmutableSandboxedEnvironment(
        autoescape=markup, undefined=ChainableUndefined, finalize=_finish, trim_blocks=True, lstrip_blocks=True
    )
    made.filters = {name: made.filters[name] for name in BORROWED} | OWN
    if markup:
        made.filters["lines"] = _marked_up
    made.tests = {name: made.tests[name] for name in TESTS}
    made.globals.clear()
    return made


@lru_cache(maxsize=2048)  # previews are written anew at every keystroke
def compiled(source: str, *, markup: bool = False) -> Template:
    """A text ready to be filled in; compiled once. Raises TemplateSyntaxError."""
    return environment(markup=markup).from_string(source)
