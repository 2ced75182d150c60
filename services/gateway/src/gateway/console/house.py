"""Who and where, as people say it: the names behind usernames and unit codes.

Services know staff and units by their short names; nobody should have to. What the gateway does not know (a unit of
another system, somebody long gone) is shown as it came.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import current_app, g
from sqlalchemy import select

from gateway.console import words
from gateway.console.words import N_, gettext
from gateway.people.tables import Staff, Unit

ITSELF = N_("Kezhi itself")
VOICES = {
    "gateway": N_("the portal"),
    **dict.fromkeys(("system", "customer", "complaint", "loyalty", "notify"), ITSELF),
}
Names = tuple[Mapping[str, str], Mapping[str, str]]


def person(username: Any) -> str:
    """``li.wei`` as 李伟; the voices that belong to nobody by what they are."""
    if username in VOICES:
        return gettext(VOICES[username])
    return _names()[0].get(str(username), str(username)) if username else "–"


def place(code: Any) -> str:
    """``SH001`` as 上海一店."""
    return _names()[1].get(str(code), str(code)) if code else "–"


def spoken(text: Any) -> str:
    """A line of facts between dots, with codes, numbers and units as people say them."""
    return " · ".join(map(place, words.spoken(text).split(" · "))) if text else ""


def _names() -> Names:
    """Read when a page needs its first name, and once."""
    known: Names | None = g.get("names")
    if known is None:
        with current_app.runtime.context() as context:  # type: ignore[attr-defined]
            people = dict(context.session.execute(select(Staff.username, Staff.name)).all())
            units = dict(context.session.execute(select(Unit.code, Unit.name)).all())
        g.names = known = (people, units)
    return known
