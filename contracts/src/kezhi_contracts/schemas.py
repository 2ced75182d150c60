"""Every event's JSON Schema by its type, with shared pieces resolved inline.

The documents are ``contracts/events/*.json``: in the source tree they are read from there, in the wheel
they lie inside the package. What ``document`` returns holds no ``$ref``: any validator can take it as it is.
"""

from __future__ import annotations

import json
from copy import deepcopy
from functools import cache
from pathlib import Path
from typing import Any

_SHARED = "common.json"
_PREFIX = f"{_SHARED}#/$defs/"


class UnknownType(LookupError):
    """No schema has this name: a foreign event, or a version that this release does not know."""

    def __init__(self, type_: str) -> None:
        super().__init__(f"unknown event version: {type_}")


@cache
def folder() -> Path:
    """Where the schema files lie: beside the code in a wheel, ``contracts/events`` in the source tree."""
    here = Path(__file__).resolve()
    packed = here.parent / "events"
    return packed if packed.is_dir() else here.parents[2] / "events"


@cache
def types() -> list[str]:
    """Every event type that has a schema, sorted."""
    return sorted(path.name.removesuffix(".json") for path in folder().glob("*.json") if path.name != _SHARED)


@cache
def document(type_: str) -> dict[str, Any]:
    """The JSON Schema (2020-12) of a whole event of this type. Treat it as frozen. Raises UnknownType."""
    if type_ not in types():
        raise UnknownType(type_)
    return _resolved(json.loads((folder() / f"{type_}.json").read_text(encoding="utf-8")))


def example(type_: str) -> dict[str, Any]:
    """A valid event of this type; the caller may change it. Raises UnknownType."""
    return deepcopy(document(type_)["examples"][0])


@cache
def pieces() -> dict[str, Any]:
    """The shared pieces of ``common.json`` by name: money, identities, instants …"""
    return json.loads((folder() / _SHARED).read_text(encoding="utf-8"))["$defs"]


def _resolved(node: Any) -> Any:
    """Put what ``$ref`` names in its place; a description beside the reference wins over the piece's."""
    if isinstance(node, list):
        return [_resolved(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" not in node:
        return {name: value if name == "examples" else _resolved(value) for name, value in node.items()}
    piece = pieces()[node["$ref"].removeprefix(_PREFIX)]
    return {**_resolved(piece), **{name: value for name, value in node.items() if name != "$ref"}}
