"""Find the text for a message and fill it in; save a new version of a text."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from jinja2 import TemplateError
from sqlalchemy import Select, func, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from kezhi_contracts.schemas import UnknownType
from notify.templates import catalogue
from notify.templates.catalogue import Variable, Vocabulary, over_event, over_variables
from notify.templates.checking import check
from notify.templates.domain import TEXTS_OF, Rendered, Surroundings, Texts, fallbacks
from notify.templates.filling import fill
from notify.templates.tables import TemplateVersion

_log = structlog.get_logger(__name__)


class NoTemplate(NotFound):
    """No text for this key and channel in any language."""


@dataclass(frozen=True)
class Found:
    """The text in use for one key, channel and language."""

    locale: str
    version: int
    texts: Texts


@dataclass(frozen=True)
class Saving:
    """A text that someone wants to save. ``event`` or ``variables`` only with the first text of a key of one's own."""

    key: str
    channel: str
    locale: str
    texts: Texts
    event: str | None = None
    variables: Mapping[str, Mapping[str, Any]] | None = None  # name → {example, secret}
    note: str | None = None


class Shelf:
    """The texts of one batch of messages: each is looked up once, in the batch's session."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._known: dict[tuple[str, str, str | None], tuple[Vocabulary, Found]] = {}

    def text(self, key: str, channel: str, locale: str | None) -> tuple[Vocabulary, Found]:
        """What the text may name, and the text in use. Raises NoTemplate."""
        asked = key, channel, locale
        if asked not in self._known:
            words = vocabulary_of(self._session, key)
            found = text_for(self._session, key, channel, locale)
            if words is None or found is None:
                raise NoTemplate(f"there is no template {key} for {channel}")
            self._known[asked] = words, found
        return self._known[asked]


def render(
    shelf: Shelf,
    key: str,
    channel: str,
    locale: str | None,
    data: Mapping[str, Any],
    around: Surroundings,
    *,
    recipient: str | None = None,
) -> Rendered:
    """Fill in the newest version of ``key`` for ``channel`` in the best language there is.

    ``data``: the event's ``data`` as it came (for a key without an event: the template's declared variables).
    ``recipient``: the name of who is addressed. Raises NoTemplate.
    """
    words, found = shelf.text(key, channel, locale)
    try:
        return fill(found.texts, key, channel, found.locale, found.version, words, data, around, recipient)
    except (TemplateError, ValueError, TypeError) as wrong:
        # A saved text compares what this event does not have. Better told in our words than not at all.
        ours = catalogue.bundled(key, channel, found.locale)
        _log.error("template_failed", template=key, channel=channel, version=found.version, error=str(wrong))
        if not found.version or ours is None:
            raise NoTemplate(f"the text of {key} for {channel} can't be filled in: {wrong}") from wrong
        return fill(ours, key, channel, found.locale, 0, words, data, around, recipient)


def text_for(session: Session, key: str, channel: str, locale: str | None) -> Found | None:
    """The text in use, in the first language of the fallback chain that has one; a saved one before a bundled one."""
    chain = fallbacks(locale)
    saved = {
        row.locale: row
        for row in session.scalars(
            select(TemplateVersion)
            .where(
                TemplateVersion.key == key,
                TemplateVersion.channel == TEXTS_OF.get(channel, channel),
                TemplateVersion.locale.in_(chain),
            )
            .ext(distinct_on(TemplateVersion.locale))
            .order_by(TemplateVersion.locale, TemplateVersion.version.desc())
        )
    }
    for candidate in chain:
        if (row := saved.get(candidate)) is not None:
            return Found(candidate, row.version, Texts(row.text, row.subject, row.html))
        if (texts := catalogue.bundled(key, channel, candidate)) is not None:
            return Found(candidate, 0, texts)
    return None


def vocabulary_of(session: Session, key: str) -> Vocabulary | None:
    """What the texts of a key may name; None: nobody ever saved such a key."""
    if (known := catalogue.vocabulary(key)) is not None:
        return known
    first = session.scalars(
        select(TemplateVersion).where(TemplateVersion.key == key).order_by(TemplateVersion.id).limit(1)
    ).first()
    return None if first is None else _declared(first.event, first.variables)


def save(context: Context, saving: Saving, by: str) -> TemplateVersion:
    """Keep a new version of a text; from now on it is the one in use. Raises Invalid, by part and line."""
    session = context.session
    words = vocabulary_of(session, saving.key)
    if words is None:
        words = _declared(saving.event, saving.variables)
    elif saving.event not in (None, words.event) or saving.variables is not None:
        about = words.event or "the variables of its first version"
        raise Invalid(f"the key is about {about}: leave `event` and `variables` out", {"event": [f"is {about}"]})
    if wrong := check(saving.texts, saving.channel, words):
        raise Invalid("The text does not fit its key", wrong)
    now = context.clock.now()
    row = TemplateVersion(
        id=uuid7(now),
        key=saving.key,
        channel=saving.channel,
        locale=saving.locale,
        version=_newest(session, saving) + 1,  # two at once: the unique constraint lets one through, the other is told
        event=words.event,
        variables=saving.variables,
        subject=saving.texts.subject,
        text=saving.texts.text,
        html=saving.texts.html,
        note=saving.note,
        saved_by=by,
        saved_at=now,
    )
    session.add(row)
    session.flush()
    return row


def outdated(session: Session) -> dict[str, dict[str, list[str]]]:
    """Saved texts in use that no longer fit the events of this release: ``key channel locale`` → what is wrong."""
    wrong = {}
    for row in session.scalars(in_use()):
        words = vocabulary_of(session, row.key)
        assert words is not None  # noqa: S101 - the row itself declares it
        if found := check(Texts(row.text, row.subject, row.html), row.channel, words):
            wrong[f"{row.key} {row.channel} {row.locale}"] = found
    return wrong


def in_use() -> Select[Any]:
    """The newest saved version of every key, channel and language."""
    what = (TemplateVersion.key, TemplateVersion.channel, TemplateVersion.locale)
    return select(TemplateVersion).ext(distinct_on(*what)).order_by(*what, TemplateVersion.version.desc())


def _newest(session: Session, saving: Saving) -> int:
    same = (
        TemplateVersion.key == saving.key,
        TemplateVersion.channel == saving.channel,
        TemplateVersion.locale == saving.locale,
    )
    return session.scalar(select(func.coalesce(func.max(TemplateVersion.version), 0)).where(*same)) or 0


def _declared(event: str | None, variables: Mapping[str, Mapping[str, Any]] | None) -> Vocabulary:
    """The vocabulary that the first text of a new key declares. Raises Invalid."""
    if (event is None) == (variables is None):
        refusal = ["a new key is about an `event` or about `variables`, one of them"]
        raise Invalid("A new key says what it is about", {"event": refusal})
    if variables is not None:
        return over_variables({name: Variable(**declared) for name, declared in variables.items()})
    try:
        return over_event(str(event))
    except UnknownType as unknown:
        raise Invalid("There is no such event", {"event": [str(unknown)]}) from None
