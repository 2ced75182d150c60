"""YAML as a tree of nodes that remember where they stand.

The tree is built from the parser's events, not through constructors: no tag can build an object, no alias can
grow into a bomb, no key can silently replace another, and numbers stay as exact as they were written.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from decimal import Decimal
from functools import lru_cache
from typing import Any

import yaml
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    Event,
    MappingEndEvent,
    MappingStartEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)

from chassis.policies.problems import Place, PolicyProblem, gathering, note

MOST_BYTES = 512 * 1024
MOST_DEPTH = 24
MOST_NODES = 20_000
LONGEST_SCALAR = 4_000

_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\Z")
_DECIMAL = re.compile(r"[-+]?(0|[1-9][0-9]{0,17})\.[0-9]{1,12}\Z")

Value = dict[str, "Node"] | list["Node"] | str | int | Decimal | bool | None


@dataclass(frozen=True, eq=False)
class Node:
    """One value of a pack: what it is, how it was written, where it stands, and the way to it (``tiers.gold.at``)."""

    value: Value
    text: str
    place: Place
    path: str = ""
    key_places: dict[str, Place] = field(default_factory=dict)
    absent: bool = False  # a required key that was not written; its absence is already noted

    @property
    def kind(self) -> str:
        """The word for its shape that an author knows."""
        match self.value:
            case dict():
                return "mapping"
            case list():
                return "list"
            case bool():
                return "yes or no"
            case int() | Decimal():
                return "number"
            case None:
                return "nothing"
        return "text"

    def plain(self) -> Any:
        """The content without places, for hashing and comparing."""
        match self.value:
            case dict():
                return {key: node.plain() for key, node in self.value.items()}
            case list():
                return [node.plain() for node in self.value]
            case Decimal():
                return str(self.value.normalize())
        return self.value

    def walk(self) -> Iterator[Node]:
        """This node and all below it, in the order of writing."""
        yield self
        below: Iterable[Node] = ()
        if isinstance(self.value, dict):
            below = self.value.values()
        elif isinstance(self.value, list):
            below = self.value
        for node in below:
            yield from node.walk()

    def at(self, path: str) -> Node:
        """The same content under another path."""
        return replace(self, path=path)


class _Unreadable(Exception):
    """This file cannot be read further; the fault is noted."""


def parse(file: str, text: str) -> Node | None:
    """The tree of one file, or None when it cannot be read at all; every fault is noted."""
    tree, faults = _parsed(file, text)
    for fault in faults:
        note(Place(fault.file, fault.line, fault.column), fault.message, fault.mend)
    return tree


@lru_cache(maxsize=32)  # the files of a pack that did not change are not parsed again
def _parsed(file: str, text: str) -> tuple[Node | None, tuple[PolicyProblem, ...]]:
    with gathering() as faults:
        tree = _tree(file, text)
    return tree, tuple(faults)


def _tree(file: str, text: str) -> Node | None:
    start = Place(file, 1, 1)
    forbidden = re.search(r"[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]", text)
    if forbidden:
        line = text.count("\n", 0, forbidden.start()) + 1
        column = forbidden.start() - text.rfind("\n", 0, forbidden.start())
        note(
            Place(file, line, column),
            f"the character U+{ord(forbidden.group()):04X} cannot stand in YAML",
            "delete it; it usually comes from copying out of another program",
        )
        return None
    if len(text.encode()) > MOST_BYTES:
        note(start, f"the file is larger than {MOST_BYTES // 1024} KiB", "split it, or leave the data out")
        return None
    try:
        return _Builder(file, yaml.parse(text, Loader=yaml.CSafeLoader)).document()
    except _Unreadable:
        return None
    except yaml.MarkedYAMLError as wrong:
        mark = wrong.problem_mark or wrong.context_mark
        place = Place(file, mark.line + 1, mark.column + 1) if mark else start
        said = " ".join(part for part in (wrong.context, wrong.problem) if part)
        note(
            place,
            f"this is not YAML: {said}",
            "mend the indentation, colon, bracket or quote before this place",
        )
    except yaml.YAMLError as wrong:
        note(start, f"this is not YAML: {wrong}", "save the file as YAML in UTF-8")
    return None


class _Builder:
    """Events of one file → nodes."""

    def __init__(self, file: str, events: Iterator[Event]) -> None:
        self.file = file
        self.events = events
        self.nodes = 0

    def document(self) -> Node | None:
        root: Node | None = None
        for event in self.events:
            if isinstance(event, DocumentStartEvent):
                if root is not None:
                    note(
                        self._place(event),
                        "a second document begins here",
                        "remove the line '---'; one file, one document",
                    )
                    raise _Unreadable
                root = self._node(next(self.events), "", 0)
        if root is None:
            note(Place(self.file, 1, 1), "the file is empty", "write its sections, or delete the file")
        return root

    def _place(self, event: Event) -> Place:
        mark: Any = event.start_mark
        return Place(self.file, mark.line + 1, mark.column + 1)

    def _node(self, event: Event, path: str, depth: int) -> Node:
        place = self._place(event)
        self.nodes += 1
        if depth > MOST_DEPTH:
            note(place, f"nested deeper than {MOST_DEPTH} levels", "flatten this part")
            raise _Unreadable
        if self.nodes > MOST_NODES:
            note(place, f"more than {MOST_NODES} values in one file", "leave the data out of the pack")
            raise _Unreadable
        if isinstance(event, AliasEvent) or getattr(event, "anchor", None):
            note(
                place,
                "anchors and aliases (& and *) are not used in packs: a reader must see what applies where it applies",
                "write the content out, or inherit it with `extends`",
            )
            raise _Unreadable
        if (tag := getattr(event, "tag", None)) and tag != "!":
            note(place, f"the tag {tag} has no meaning in a pack", "delete the tag and write the value alone")
        if isinstance(event, MappingStartEvent):
            return self._mapping(place, path, depth)
        if isinstance(event, SequenceStartEvent):
            return self._sequence(place, path, depth)
        return self._scalar(event, place, path)

    def _mapping(self, place: Place, path: str, depth: int) -> Node:
        content: dict[str, Node] = {}
        places: dict[str, Place] = {}
        while not isinstance(event := next(self.events), MappingEndEvent):
            at = self._place(event)
            if not isinstance(event, ScalarEvent):
                note(at, "a key must be one word or number", "write `key: value`")
                raise _Unreadable
            key = event.value
            node = self._node(next(self.events), f"{path}.{key}" if path else key, depth + 1)
            if key == "<<":
                note(
                    at,
                    "merge keys (<<) are not used in packs",
                    "write the content out, or inherit it with `extends`",
                )
            elif key in content:
                note(
                    at,
                    f"`{key}` is written twice here",
                    f"keep one; the first stands in line {places[key].line}",
                )
            else:
                content[key], places[key] = node, at
        return Node(content, "", place, path, places)

    def _sequence(self, place: Place, path: str, depth: int) -> Node:
        content: list[Node] = []
        while not isinstance(event := next(self.events), SequenceEndEvent):
            content.append(self._node(event, f"{path}[{len(content) + 1}]", depth + 1))
        return Node(content, "", place, path)

    def _scalar(self, event: Any, place: Place, path: str) -> Node:
        text = event.value
        if len(text) > LONGEST_SCALAR:
            note(
                place,
                f"a text of more than {LONGEST_SCALAR} characters",
                "shorten it, or keep it in a document",
            )
            text = text[:LONGEST_SCALAR]
        plain = event.style is None or event.style == ""
        return Node(_resolve(text) if plain else text, text, place, path)


def _resolve(text: str) -> Value:
    """YAML 1.2 core, without its surprises: `no` is a word, 0x10 a text, 1.50 exactly 1.50."""
    if text in ("", "~", "null"):
        return None
    if text in ("true", "false"):
        return text == "true"
    if _INTEGER.match(text):
        return int(text)
    if _DECIMAL.match(text):
        return Decimal(text)
    return text
