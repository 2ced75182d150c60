"""Find the text for a message and fill it in; save a new version of a text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from chassis.errors import NotFound
from notify.templates.domain import Rendered, Surroundings


class NoTemplate(NotFound):
    """No text for this key and channel in any language."""


def render(
    session: Session,
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
    raise NoTemplate(f"no template {key} for {channel}")
