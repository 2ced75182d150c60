"""Does a route concern an event? Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from notify.policy.rules import GIVEN, MISSING, Route


def concerned(routes: Iterable[Route], event: str, data: Mapping[str, Any]) -> list[Route]:
    """The routes of an event (without its version) whose conditions its data meet."""
    return [route for route in routes if route.event == event and meets(route.when, data)]


def meets(conditions: Mapping[str, Any], data: Mapping[str, Any]) -> bool:
    """Every condition holds: the member equals the value, or one of the values; ``given``, ``missing``: any value.

    >>> meets({"purpose": "follow"}, {"purpose": "follow"}), meets({"level": [2, 3]}, {"level": 1})
    (True, False)
    >>> meets({"previous_handler": "given"}, {"previous_handler": None})
    False
    """
    return all(_meets(wanted, data.get(name)) for name, wanted in conditions.items())


def _meets(wanted: Any, value: Any) -> bool:
    if isinstance(wanted, tuple | list):
        return any(_meets(one, value) for one in wanted)
    if wanted == GIVEN:
        return value is not None
    if wanted == MISSING:
        return value is None
    if isinstance(wanted, Decimal) and not isinstance(value, bool):
        return isinstance(value, int | float | Decimal | str) and str(value) == str(wanted)
    return type(wanted) is type(value) and bool(wanted == value)
