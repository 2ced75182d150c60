"""Amounts that several sections of the pack are written in."""

from __future__ import annotations

from chassis.policies import reading
from chassis.policies.document import Node
from chassis.policies.reading import wrong


def whole_points(node: Node) -> int:
    """`100 points`."""
    value = reading.amount(node, "points")
    if value != int(value):
        wrong(node, "points are whole", "write e.g. 100 points")
    return int(value)
