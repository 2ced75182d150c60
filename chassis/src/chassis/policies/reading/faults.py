"""How readers say what is wrong: at the node, in words, with the mend."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from chassis.policies.document import Node
from chassis.policies.problems import note


def wrong(node: Node, message: str, mend: str) -> None:
    """Note a fault at a node, unless it stands for a key whose absence is already noted."""
    if not node.absent:
        note(node.place, f"{node.path}: {message}" if node.path else message, mend)


def suggestion(word: str, known: Iterable[str]) -> str:
    """The nearest known word, as a mend; else the whole list."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"use one of: {', '.join(sorted(known))}" if known else "delete it"


def shown(node: Node) -> str:
    """A value as an author recognises it."""
    if isinstance(node.value, dict | list):
        return f"a {node.kind}"
    if node.value is None:
        return "nothing"
    return f"`{node.text if len(node.text) <= 60 else node.text[:57] + '...'}`"
