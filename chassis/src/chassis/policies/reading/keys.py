"""The keys of one mapping: unknown and missing ones noted, clause and `ours` looked after."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import TypeVar

from chassis.policies.document import Node
from chassis.policies.problems import note, noted
from chassis.policies.reading.faults import shown, suggestion, wrong
from chassis.policies.reading.values import text

T = TypeVar("T")
D = TypeVar("D")

MARKS = ("clause", "ours", "note")  # every rule may say where it comes from, what is our choice, and why
_CLAUSE = re.compile(r"\S(.{0,78}\S)?\Z")


@dataclass(frozen=True)
class Keys:
    """The content of one mapping after its keys were checked."""

    node: Node
    content: dict[str, Node]
    clause: str
    _before: int

    def __getitem__(self, key: str) -> Node:
        """A required key; when it was left out, a node that reads as a placeholder without a second fault."""
        return self.content.get(key) or Node(None, "", self.node.place, f"{self.node.path}.{key}", absent=True)

    def get(self, key: str) -> Node | None:
        """An optional key."""
        return self.content.get(key)

    def read(self, key: str, reader: Callable[[Node], T], default: D) -> T | D:
        """An optional key through its reader."""
        node = self.content.get(key)
        return default if node is None else reader(node)

    def __contains__(self, key: str) -> bool:
        return key in self.content

    @property
    def sound(self) -> bool:
        """Nothing was noted since this mapping was opened: its values may be judged together."""
        return noted() == self._before


def mapping(
    node: Node,
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
    *,
    clause: bool = False,
    marks: bool = True,
) -> Keys:
    """The keys of a mapping. Unknown and missing ones are noted; ``clause=True`` demands `clause:` beside the rule."""
    before = noted()
    required, optional = tuple(required), tuple(optional)
    if not isinstance(node.value, dict):
        example = ", ".join(f"{key}: …" for key in (required or optional)[:2])
        wrong(node, f"a mapping belongs here, not {shown(node)}", f"write {{{example}}}")
        return Keys(node, {}, "", before)
    known = (*required, *optional, *(MARKS if marks else ()))
    for key in node.value:
        if key not in known:
            note(
                node.key_places[key],
                f"{node.path + '.' if node.path else ''}{key}: unknown key",
                suggestion(key, known),
            )
    for key in required:
        if key not in node.value:
            wrong(node, f"`{key}` is missing", f"add `{key}: …`")
    return Keys(node, dict(node.value), marks_of(node, clause) if marks else "", before)


def marks_of(node: Node, demanded: bool) -> str:
    """`clause`, `ours` and `note` of a rule; returns the clause."""
    assert isinstance(node.value, dict)  # noqa: S101 - mapping() has looked
    said = node.value.get("clause")
    if said is None and demanded:
        wrong(node, "the rule names no clause", "add `clause: CG-01` (the article it rests on)")
    if (choices := node.value.get("ours")) is not None:
        ours(node, choices)
    if (remark := node.value.get("note")) is not None:
        text(remark)
    return clause(said) if said is not None else ""


def ours(node: Node, said: Node) -> None:
    """`ours: true` for the whole rule, or the list of keys whose numbers are our choice."""
    if said.value is True:
        return
    if not isinstance(said.value, list) or not said.value:
        wrong(
            said,
            f"`ours` is true or a list of keys of this rule, not {shown(said)}",
            "write `ours: [key, key]`",
        )
        return
    within = {key for child in node.walk() if isinstance(child.value, dict) for key in child.value} - set(MARKS)
    within |= {_identity(child) for child in node.walk()} - {""}
    for item in said.value:
        if item.text not in within:
            wrong(item, f"`{item.text}` stands nowhere in this rule", suggestion(item.text, within))


def _identity(node: Node) -> str:
    """The name an item of a list goes by: its first key's plain value."""
    if isinstance(node.value, dict) and node.value:
        first = next(iter(node.value.values()))
        return first.text
    return ""


def clause(node: Node) -> str:
    """The article a rule rests on: a rule id (`CG-09`) or the company's own number; a list when it rests on several."""
    if isinstance(node.value, list):
        return ", ".join(clause(item) for item in node.value)
    if isinstance(node.value, dict) or not _CLAUSE.match(node.text):
        wrong(node, "a clause is the number of an article", "write `clause: CG-09`")
        return ""
    return node.text
