"""How an event of another service reads in the archive."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from chassis.messaging.event import Event

# event family → kind of the entry; the archive is filtered by these words
KINDS = {
    "points": "points",
    "tier": "tier",
    "member": "membership",
    "reward": "points",
    "complaint": "complaint",
    "workorder": "complaint",
    "suggestion": "complaint",
    "notification": "message",
}

OWN_KINDS = ("profile", "identity", "purchase", "standing", "class", "grade")
ALL_KINDS = (*OWN_KINDS, "points", "tier", "membership", "complaint", "message")

_WHEN = ("occurred_at", "changed_at", "enrolled_at", "at", "dispatched_at", "completed_at", "adopted_at")
# Not for the time line: whose it is stands beside it, whom it is hidden from has its own columns, and how to reach
# the complainant is the registry's to say.
_LEFT_OUT = ("customer_id", "hidden_from", "complainant")


def entry_of(event: Event) -> tuple[UUID, datetime, str, str, dict[str, Any], str]:
    """(customer, at, kind, fact, data, source): ``at`` is when it happened, not when it was said."""
    data = {name: value for name, value in event.data.items() if name not in _LEFT_OUT}
    said = next((data[name] for name in _WHEN if data.get(name)), None)
    at = datetime.fromisoformat(said).astimezone(UTC) if said else event.time
    family = event.type.partition(".")[0]
    return UUID(event.data["customer_id"]), at, KINDS[family], event.type.removesuffix(".v1"), data, event.source
