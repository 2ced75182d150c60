"""Who may say what (decision 11): one RabbitMQ user per outside system, and the sources, stores and types it may claim.

``KEZHI_PUBLISHERS`` names a YAML file::

    kezhi_customer: internal            # a service's own relay: forwards what came in over HTTP
    pos_shanghai:
      sources: [/pos/shanghai-*]        # exact, or a prefix that ends in *
      stores: [SH001, SH002]            # or "*"
      types: [purchase.completed.v1, purchase.refunded.v1]

The broker validates the AMQP ``user_id``, so the name can be trusted. Without a file everybody who reaches the
exchange may say anything: that is the open publisher of evaluation mode, and ``kezhi doctor`` says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from chassis.messaging.event import Event
from chassis.settings import Settings


class PublishersFileWrong(Exception):
    """The file can't be understood; the process stops with this text."""


@dataclass(frozen=True)
class Publisher:
    """What one outside system may claim. ``None`` stands for anything."""

    sources: tuple[str, ...] | None
    stores: frozenset[str] | None
    types: frozenset[str] | None

    def objection(self, user: str, event: Event) -> str | None:
        """Why this system may not say this event, as a sentence; None when it may."""
        if not self._may_claim(event.source):
            return f"The publisher {user!r} may not speak as source {event.source!r}."
        if self.types is not None and event.type not in self.types:
            return f"The publisher {user!r} may not say {event.type}."
        store = event.data.get("store")
        if self.stores is not None and store is not None and store not in self.stores:
            return f"The publisher {user!r} may not speak for store {store!r}."
        return None

    def _may_claim(self, source: str) -> bool:
        if self.sources is None:
            return True
        return any(
            source.startswith(allowed[:-1]) if allowed.endswith("*") else source == allowed for allowed in self.sources
        )


@dataclass(frozen=True)
class Publishers:
    """Every known publisher; ``open`` when no file was given."""

    known: Mapping[str, Publisher]
    internal: frozenset[str]
    open: bool

    @classmethod
    def of(cls, settings: Settings) -> Publishers:
        """The publishers of this process. Raises PublishersFileWrong."""
        return _OPEN if settings.publishers_file is None else _load(settings.publishers_file)

    def objection(self, publisher: tuple[str | None, str | None], event: Event) -> str | None:
        """Why this publisher may not say this event, as a sentence; None when it may.

        ``publisher`` is the validated user and whom it publishes for; only internal users may publish for others.
        """
        if self.open:
            return None
        user, on_behalf_of = publisher
        if user in self.internal:
            if on_behalf_of is None or on_behalf_of in self.internal:
                return None
            user = on_behalf_of
        if not user:
            return "The message carries no user_id, so nobody vouches for its source."
        rule = self.known.get(user)
        return f"The broker user {user!r} is no known publisher." if rule is None else rule.objection(user, event)

    def origin(self, publisher: tuple[str | None, str | None]) -> str:
        """Whose word a republished message is; empty when nobody vouched for it. Never what an outsider claims."""
        user, on_behalf_of = publisher
        return (on_behalf_of if user in self.internal and on_behalf_of is not None else user) or ""


_OPEN = Publishers({}, frozenset(), open=True)


@cache
def _load(path: Path) -> Publishers:
    try:
        document = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, yaml.YAMLError) as wrong:
        raise PublishersFileWrong(f"{path}: {wrong}") from None
    if not isinstance(document, dict):
        raise PublishersFileWrong(f"{path}: expected a mapping of broker users")
    internal = frozenset(user for user, rule in document.items() if rule == "internal")
    known = {user: _rule(path, user, rule) for user, rule in document.items() if rule != "internal"}
    return Publishers(known, internal, open=False)


def _rule(path: Path, user: str, rule: Any) -> Publisher:
    if not isinstance(rule, dict) or not set(rule) <= {"sources", "stores", "types"}:
        raise PublishersFileWrong(f"{path}: {user}: expected `internal` or a mapping of sources, stores and types")
    sources, stores, types = (_names(path, user, name, rule.get(name)) for name in ("sources", "stores", "types"))
    return Publisher(
        None if sources is None else tuple(sources),
        None if stores is None else frozenset(stores),
        None if types is None else frozenset(types),
    )


def _names(path: Path, user: str, name: str, given: Any) -> list[str] | None:
    if given == "*":
        return None
    if not isinstance(given, list) or not all(isinstance(item, str) for item in given):
        raise PublishersFileWrong(f'{path}: {user}: {name} must be a list of texts or "*"')
    return given
