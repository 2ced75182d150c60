"""Read texts: those in use, saved or bundled, as one list, and the versions of one of them."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from notify.templates import catalogue
from notify.templates.checking import check
from notify.templates.domain import Texts
from notify.templates.tables import TemplateVersion
from notify.templates.use_cases import in_use, vocabulary_of

KEY = re.compile(r"^[a-z][a-z0-9_.-]{0,63}$", re.ASCII)
LOCALE = re.compile(r"^[a-z]{2,3}(-[A-Za-z0-9]{2,8}){0,2}$", re.ASCII)
Place = tuple[str, str, str]  # key, channel, locale


def page(
    session: Session, key: str | None, channel: str | None, locale: str | None, limit: int, cursor: str | None
) -> dict[str, Any]:
    """The texts in use, by key, channel and language. There are a few hundred at most: they are merged here."""
    wanted = (key, channel, locale)
    found: dict[Place, TemplateVersion | Texts] = {
        (a, b, c): texts for a, b, c, texts in catalogue.every_bundled() if _fits((a, b, c), wanted)
    }
    columns = (TemplateVersion.key, TemplateVersion.channel, TemplateVersion.locale)
    asked = [column == value for column, value in zip(columns, wanted, strict=True) if value is not None]
    found |= {(row.key, row.channel, row.locale): row for row in session.scalars(in_use().where(*asked))}
    after = _read(cursor) if cursor else ("", "", "")
    places = [place for place in sorted(found) if place > after]
    return {
        "items": [shown(session, place, found[place]) for place in places[:limit]],
        "next": _write(places[limit - 1]) if len(places) > limit else None,
    }


def one(session: Session, place: Place, version: int | None) -> dict[str, Any]:
    """One text in one version, or the one in use. Raises NotFound."""
    key, channel, locale = place
    if not KEY.fullmatch(key) or not LOCALE.fullmatch(locale):
        raise NotFound("no such text")
    saved = select(TemplateVersion).where(
        TemplateVersion.key == key, TemplateVersion.channel == channel, TemplateVersion.locale == locale
    )
    if version is not None:
        saved = saved.where(TemplateVersion.version == version)
    row = session.scalars(saved.order_by(TemplateVersion.version.desc()).limit(1)).first()
    found = row or (None if version else catalogue.bundled(key, channel, locale))
    if found is None:
        raise NotFound("no such text, or not in this version")
    return shown(session, place, found)


def shown(session: Session, place: Place, found: TemplateVersion | Texts) -> dict[str, Any]:
    """A text as it is answered."""
    key, channel, locale = place
    words = vocabulary_of(session, key)
    saved = found if isinstance(found, TemplateVersion) else None
    return {
        "key": key,
        "channel": channel,
        "locale": locale,
        "version": saved.version if saved else 0,
        "event": words.event if words else None,
        "names": sorted(words.declared) if words else [],
        "findings": check(Texts(saved.text, saved.subject, saved.html), channel, words) if saved and words else {},
        "subject": found.subject,
        "text": found.text,
        "html": found.html,
        "note": saved.note if saved else None,
        "saved_by": saved.saved_by if saved else None,
        "saved_at": saved.saved_at if saved else None,
    }


def _fits(place: Place, wanted: tuple[str | None, str | None, str | None]) -> bool:
    return all(want in (None, have) for have, want in zip(place, wanted, strict=True))


def _write(place: Place) -> str:
    return urlsafe_b64encode("|".join(place).encode()).decode().rstrip("=")


def _read(cursor: str) -> Place:
    try:
        key, channel, locale = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split("|")
    except ValueError:
        raise Invalid("The cursor is not one of this list", {"cursor": ["not a cursor of this list"]}) from None
    return key, channel, locale
