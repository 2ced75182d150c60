"""Lists and tables of values, and names that must be unique."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from chassis.policies.document import Node
from chassis.policies.reading.faults import shown, wrong
from chassis.policies.reading.keys import MARKS, marks_of

T = TypeVar("T")


def listing(node: Node, item: Callable[[Node], T], least: int = 0) -> tuple[T, ...]:
    """A list, each item through its reader."""
    if not isinstance(node.value, list):
        wrong(
            node,
            f"a list belongs here, not {shown(node)}",
            "write [one, two] or one item per line after a dash",
        )
        return ()
    if len(node.value) < least:
        wrong(node, f"at least {least} item{'s' if least > 1 else ''} needed", "add what is missing")
    return tuple(item(child) for child in node.value)


def table(
    node: Node, value: Callable[[Node], T], key: Callable[[Node], str] | None = None, least: int = 0
) -> dict[str, T]:
    """A mapping with free keys, each value through its reader; marks are left aside. ``key`` checks the names."""
    if not isinstance(node.value, dict):
        wrong(node, f"a mapping belongs here, not {shown(node)}", "write `name: value`, one per line")
        return {}
    rows = {name: child for name, child in node.value.items() if name not in MARKS}
    marks_of(node, False)
    if len(rows) < least:
        wrong(node, f"at least {least} entr{'ies' if least > 1 else 'y'} needed", "add what is missing")
    if key is not None:
        for name in rows:
            key(Node(name, name, node.key_places[name], f"{node.path}.{name}"))
    return {name: value(child) for name, child in rows.items()}


def unique(nodes: Iterable[Node], names: Iterable[str], what: str) -> None:
    """Each name once; a second one is noted where it stands."""
    seen: set[str] = set()
    for node, name in zip(nodes, names, strict=True):
        if name in seen:
            wrong(node, f"the {what} `{name}` is there twice", "keep one of them")
        seen.add(name)


def items(node: Node) -> Iterator[Node]:
    """The children of a list node, none when it is not a list."""
    return iter(node.value if isinstance(node.value, list) else ())
