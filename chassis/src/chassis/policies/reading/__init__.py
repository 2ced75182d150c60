"""Strict reading of a pack: every helper takes a node, notes what is wrong with its mend, and returns a value.

After a fault the value is a harmless placeholder, so that one pass finds every fault of a file. Checks of sense
(bands overlap, quotas above 100 %) belong behind ``keys.sound``: they judge only what was read without fault.
"""

from __future__ import annotations

from chassis.policies.reading.faults import suggestion, wrong
from chassis.policies.reading.keys import MARKS, Keys, clause, mapping, ours
from chassis.policies.reading.lists import items, listing, table, unique
from chassis.policies.reading.values import (
    CALENDAR,
    amount,
    boolean,
    choice,
    code,
    day,
    duration,
    integer,
    money,
    number,
    share,
    span,
    text,
    time_of_day,
    unless,
)

__all__ = [
    "CALENDAR",
    "MARKS",
    "Keys",
    "amount",
    "boolean",
    "choice",
    "clause",
    "code",
    "day",
    "duration",
    "integer",
    "items",
    "listing",
    "mapping",
    "money",
    "number",
    "ours",
    "share",
    "span",
    "suggestion",
    "table",
    "text",
    "time_of_day",
    "unique",
    "unless",
    "wrong",
]
