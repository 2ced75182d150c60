"""Who is there: absence and ranks, read from our copy of the staff."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any


def is_away(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether a member of staff, as the gateway last told, is away at ``now``; no end means until further notice."""
    begins, ends = state.get("away_from"), state.get("away_until")
    if begins is None:
        return False
    return datetime.fromisoformat(begins) <= now and (ends is None or now < datetime.fromisoformat(ends))
