"""Pure rules of standing and blacklist.

Standing without a unit is the company's answer: an entry of one unit is named, but blocks only there. Asked for a
unit, the entries of that unit and of every unit above it count too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any

IN_FORCE = "in_force"
EVALUATION_DUE = "evaluation_due"
LIFTED = "lifted"

OPEN = "open"
RESTRICTED = "restricted"
BLOCKED = "blocked"
TRADE = (OPEN, RESTRICTED, BLOCKED)

_CODES = {IN_FORCE: "blacklisted", EVALUATION_DUE: "evaluation_due"}


@dataclass(frozen=True)
class Entry:
    """What standing needs of a blacklist entry that is not lifted."""

    scope: str
    unit: str | None
    status: str
    until: datetime | None
    clause: str


def free_standing() -> dict[str, Any]:
    """Nothing stands against them."""
    return {"may_trade": True, "reasons": []}


def standing_of(status: str, entries: Iterable[Entry], units: Collection[str] | None = None) -> dict[str, Any]:
    """``{may_trade, reasons}`` (decision 26). ``units``: the one asked for and those above; None: the company."""
    reasons: list[dict[str, Any]] = []
    blocks = False
    if status != "active":
        reasons.append({"code": status, "scope": "company", "unit": None, "until": None, "clause": None})
        blocks = True
    for entry in entries:
        if units is not None and entry.unit is not None and entry.unit not in units:
            continue
        until = None if entry.until is None else entry.until.isoformat().replace("+00:00", "Z")
        reasons.append(
            {
                "code": _CODES[entry.status],
                "scope": entry.scope,
                "unit": entry.unit,
                "until": until,
                "clause": entry.clause,
            }
        )
        blocks = blocks or entry.unit is None or units is not None
    return {"may_trade": not blocks, "reasons": reasons}


def trade_of(standing: dict[str, Any]) -> str:
    """The word customers are listed by: open, restricted (some unit may not), blocked (nobody may)."""
    if not standing["may_trade"]:
        return BLOCKED
    return RESTRICTED if standing["reasons"] else OPEN
