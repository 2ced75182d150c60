"""What there is to say: every key of the default pack's routes with the event behind it, and the texts we bring along.

A key has the name of its route. A company's own routes add keys of their own, over an event or over variables that the
first saved version declares.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from kezhi_contracts import schemas
from notify.templates.domain import CHANNELS, LOCALES, TEXTS_OF, UNREADABLE, Surroundings, Texts, fallbacks
from notify.templates.words import greeting

PAGES: Mapping[str, Mapping[str, str]] = {  # family of events → extra variable → the page it leads to
    "complaint": {"case_url": "/console/complaints/{complaint_id}"},
    "visit": {"customer_url": "/console/customers/{customer_id}"},
    "link": {"follow_url": "/portal/complaints/{token}", "answer_url": "/portal/answers/{token}"},
}
SECRETS = {"link.issued.v1": frozenset({"token"}), "survey.invited.v1": frozenset({"link"})}
_TEXT = {"type": "string"}
_EXTRAS: Mapping[str, Any] = {
    "greeting": {**_TEXT, "description": "How the message begins: the recipient's name, if it is one."},
    "sender": {**_TEXT, "description": "Who writes."},
}
_TYPES = {str: "string", int: "integer"}
_ADDRESS = {**_TEXT, "description": "Address of a page of the console or the portal."}


@dataclass(frozen=True)
class Vocabulary:
    """What the texts of a key may name, as a JSON Schema of an object, with an example of it."""

    schema: Mapping[str, Any]
    example: Mapping[str, Any]
    secrets: frozenset[str] = frozenset()  # struck out of what is stored
    event: str | None = None  # type with version, where an event is behind it

    @property
    def declared(self) -> Mapping[str, Any]:
        """Every name that a text may use, with its schema."""
        properties: Mapping[str, Any] = self.schema["properties"]
        return properties

    def values(self, data: Mapping[str, Any], around: Surroundings, locale: str, name: str | None) -> dict[str, Any]:
        """All that a text may use: the data, and what we add to it."""
        pages = PAGES.get(self.event.partition(".")[0], {}) if self.event else {}
        places = {name: around.public_url + page.format_map(_Known(data)) for name, page in pages.items()}
        sender = next(around.sender[spoken] for spoken in fallbacks(locale) if spoken in around.sender)
        return {**data, **places, "greeting": greeting(name, locale), "sender": sender}

    def struck_out(self, data: Mapping[str, Any]) -> dict[str, Any]:
        """The data with its secrets unreadable."""
        return {**data, **{name: UNREADABLE for name in self.secrets if name in data}}


@dataclass(frozen=True)
class Variable:
    """A value that whoever sends the message gives. ``secret``: it is struck out of what is stored."""

    example: str | int
    secret: bool = False


class _Known(dict[str, Any]):
    def __missing__(self, key: str) -> str:
        return UNREADABLE


KEYS: Mapping[str, str | None] = {  # key → the event behind it
    "complaint_received": "complaint.received.v1",
    "complaint_received_handler": "complaint.received.v1",
    "complaint_assigned": "complaint.assigned.v1",
    "complaint_follow_link": "link.issued.v1",
    "complaint_answer_link": "link.issued.v1",
    "complaint_progressed": "complaint.progressed.v1",
    "complaint_due_soon": "complaint.due_soon.v1",
    "complaint_breached": "complaint.breached.v1",
    "complaint_escalated": "complaint.escalated.v1",
    "complaint_resolved": "complaint.resolved.v1",
    "complaint_reopened": "complaint.reopened.v1",
    "complaint_reopened_handler": "complaint.reopened.v1",
    "complaint_closed": "complaint.closed.v1",
    "tier_changed": "tier.changed.v1",
    "tier_at_risk": "tier.at_risk.v1",
    "points_expiring": "points.expiring.v1",
    "visit_planned": "visit.planned.v1",
    "one_time_code": None,
}
VARIABLES: Mapping[str, Mapping[str, Variable]] = {  # of keys without an event
    "one_time_code": {"code": Variable("042917", secret=True), "minutes": Variable(10)},
}


@cache
def over_event(event: str) -> Vocabulary:
    """The vocabulary of texts about an event. Raises UnknownType."""
    data = schemas.document(event)["properties"]["data"]
    pages = PAGES.get(event.partition(".")[0], {})
    properties = {**data["properties"], **_EXTRAS, **dict.fromkeys(pages, _ADDRESS)}
    example = schemas.example(event)["data"]
    return Vocabulary({**data, "properties": properties}, example, SECRETS.get(event, frozenset()), event)


def over_variables(variables: Mapping[str, Variable]) -> Vocabulary:
    """The vocabulary of texts about nothing but declared variables."""
    properties = {name: {"type": _TYPES[type(variable.example)]} for name, variable in variables.items()}
    schema = {"type": "object", "properties": {**properties, **_EXTRAS}, "required": sorted(variables)}
    example = {name: variable.example for name, variable in variables.items()}
    return Vocabulary(schema, example, frozenset(name for name, variable in variables.items() if variable.secret))


def vocabulary(key: str) -> Vocabulary | None:
    """The vocabulary of a key that comes with the release; None: it is the company's own."""
    if key not in KEYS:
        return None
    event = KEYS[key]
    return over_variables(VARIABLES[key]) if event is None else over_event(event)


@cache
def bundled(key: str, channel: str, locale: str) -> Texts | None:
    """The text that comes with the release."""
    return _texts(locale).get((key, TEXTS_OF.get(channel, channel))) if locale in LOCALES else None


def every_bundled() -> Iterator[tuple[str, str, str, Texts]]:
    """Key, channel, locale and text of all that comes with the release."""
    for key in KEYS:
        for channel in CHANNELS:
            for locale in LOCALES:
                if (texts := bundled(key, channel, locale)) is not None:
                    yield key, channel, locale, texts


@cache
def _texts(locale: str) -> Mapping[tuple[str, str], Texts]:
    """One file per language: key → email, sms, and ``notice`` for the inbox and for webhooks."""
    document = yaml.safe_load(Path(__file__).with_name("bundled").joinpath(f"{locale}.yaml").read_text("utf-8"))
    found: dict[tuple[str, str], Texts] = {}
    for key, ways in document.items():
        found[key, "email"] = Texts(ways["email"]["text"], ways["email"]["subject"])
        found[key, "sms"] = Texts(ways["sms"])
        found[key, "inbox"] = found[key, "webhook"] = Texts(ways["notice"]["text"], ways["notice"]["subject"])
    return found
