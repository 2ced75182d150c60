"""Whoever has points to spend."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest


@pytest.fixture
def member(programme: Any) -> str:
    """A member with 100 available points that lapse with 2026, and 50 that lapse a year later."""
    customer: str = programme.enrol("card:1")
    programme.buys("100.00", "P1", at=datetime(2025, 12, 5, tzinfo=UTC))
    programme.buys("50.00", "P2", at=datetime(2026, 10, 1, tzinfo=UTC))
    return customer
