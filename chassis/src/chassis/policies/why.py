"""Why a decision fell as it did: built where the decision is made, stored and shown with it, never reconstructed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any


@dataclass(frozen=True)
class Why:
    """A ``decision`` (`platinum`) from ``inputs`` (`{score: 78.2}`) by a clause of a version; ``detail``: the steps."""

    decision: str
    inputs: Mapping[str, Any]
    clause: str
    policyversion: str
    detail: tuple[Why, ...] | Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        """Plain JSON: exact numbers and instants as texts."""
        return {
            "decision": self.decision,
            "inputs": _plain(self.inputs),
            "clause": self.clause,
            "policyversion": self.policyversion,
            "detail": _plain(self.detail),
        }


def _plain(value: Any) -> Any:
    match value:
        case Why():
            return value.as_json()
        case Mapping():
            return {str(key): _plain(each) for key, each in value.items()}
        case list() | tuple():
            return [_plain(each) for each in value]
        case Decimal():
            return format(value, "f")
        case datetime() | date():
            return value.isoformat()
    return value
