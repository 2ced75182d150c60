"""What can be said of any file of a pack, reader or not: clauses, `ours` marks, units that are nearly right, shares.

It judges only what it is sure of: a text such as `3 workng days` is no duration and nothing else either.
"""

from __future__ import annotations

import difflib
import re

from chassis.policies import reading
from chassis.policies.document import Node
from chassis.policies.reading import clause, wrong
from chassis.policies.units import UNITS, parse_amount, parse_duration, parse_share

_COUNTED = re.compile(r"([0-9][0-9.,' ]*) ?([A-Za-z]{3,}(?: [a-z]+)?)\Z")
_MONEY = re.compile(r"[0-9][0-9.,' ]* ?[A-Z]{3}\Z")
_PER_CENT = re.compile(r"[-+0-9.,' ]+%+\Z|[0-9.]+ ?(percent|per cent|pct)\Z")
_SINGULAR = {unit: unit for unit in UNITS} | {f"{unit}s": unit for unit in UNITS}


def look_over(node: Node) -> None:
    """Note what is wrong with a file that no reader knows yet."""
    for each in node.walk():
        if isinstance(each.value, dict):
            _rule(each)
        elif isinstance(each.value, str):
            _text(each)


def _rule(node: Node) -> None:
    assert isinstance(node.value, dict)  # noqa: S101 - look_over() has looked
    for key, value in node.value.items():
        if key == "clause":
            clause(value)
        elif key == "ours":
            reading.ours(node, value)
        elif value.value is None:
            wrong(value, "nothing stands here", "write a value, or delete the key")
    split = node.value.get("split")
    if split is not None and isinstance(split.value, dict):
        shares = [parse_share(item.text) for item in split.value.values()]
        if None not in shares and sum(share for share in shares if share) != 1:
            wrong(split, "the shares do not add up to 100%", "let them add up to 100%")


def _text(node: Node) -> None:
    said = node.text
    if _PER_CENT.match(said) and parse_share(said) is None:
        wrong(node, f"`{said}` is no share", "write e.g. 15%")
    elif _MONEY.match(said) and parse_amount(said) is None:
        wrong(
            node,
            f"`{said}` is no amount of money",
            "write the number without separators, a space and the currency: 2000 CNY",
        )
    elif (counted := _COUNTED.match(said)) and parse_duration(said) is None:
        near = difflib.get_close_matches(counted[2], _SINGULAR, n=1, cutoff=0.8)
        if near:
            unit = _SINGULAR[near[0]]
            wrong(node, f"`{said}` is no duration", f"write `1 {unit}` or `2 {unit}s`")
