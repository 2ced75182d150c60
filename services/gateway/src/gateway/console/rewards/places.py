"""Where people buy: the units with no other below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.console.web import me


def stores(units: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Code and name of each, as a choice wants them."""
    paths = [str(unit["path"]) for unit in units]
    above = {path for path in paths if any(other != path and other.startswith(path) for other in paths)}
    return [(unit["code"], unit["name"]) for unit in units if unit["path"] not in above]


def own_store(units: Sequence[Mapping[str, Any]]) -> str:
    """The code of the store that the reader works in; none for who works above the stores."""
    mine = {unit["path"]: unit["code"] for unit in units}.get(me().unit_path, "")
    return mine if mine in dict(stores(units)) else ""
