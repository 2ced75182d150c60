"""Times that people type: in their own zone, as ``<input type="datetime-local">`` writes them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from gateway.console.words import instant, zone


def as_instant(written: str) -> str:
    """``2026-02-13T17:20`` in the reader's zone as an instant; anything else goes on as it is, to be refused there."""
    try:
        moment = datetime.fromisoformat(written)
    except ValueError:
        return written
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=zone())
    return moment.astimezone(UTC).isoformat().replace("+00:00", "Z")


def as_typed(value: Any) -> str:
    """An instant as the field shows it to this reader; empty where there is none."""
    moment = instant(value)
    return f"{moment:%Y-%m-%dT%H:%M}" if moment else ""
