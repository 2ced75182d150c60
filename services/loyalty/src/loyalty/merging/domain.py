"""What a merge says, and when two members can be parted again as if they had never been one: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MERGED, PROPOSED, UNMERGED = "merged", "proposed", "unmerged"


@dataclass(frozen=True, slots=True)
class Joined:
    """``customer.merged`` or ``customer.unmerged``: the registry's word on two customers. Ids as text."""

    merge_id: str
    survivor_id: str
    absorbed_id: str
    code: str | None  # the absorbed customer's


def read_merged(data: Mapping[str, Any]) -> Joined:
    """The data of ``customer.merged.v1``."""
    absorbed = data.get("absorbed") or {}
    return Joined(
        data["merge_id"].lower(), data["customer_id"].lower(), data["merged_customer_id"].lower(), absorbed.get("code")
    )


def read_unmerged(data: Mapping[str, Any]) -> Joined:
    """The data of ``customer.unmerged.v1``."""
    return Joined(
        data["merge_id"].lower(),
        data["customer_id"].lower(),
        data["restored_customer_id"].lower(),
        data["restored"].get("code"),
    )


@dataclass(frozen=True, slots=True)
class Entangled:
    """What happened since a merge that belongs to neither of the two alone. All in points.

    ``spent``: by lot, what the survivor took of the lots that came along; ``owed``: of the debt that came along, what
    the survivor's credits have paid; ``borne``: refunds of the absorbed member's purchases that the survivor's own
    points paid; ``held``: of the lots that came along, what the survivor's own open holds set aside.
    """

    spent: Mapping[str, int]
    owed: int = 0
    borne: int = 0
    held: int = 0
    moved_on: bool = False  # the survivor itself became part of another member

    @property
    def reasons(self) -> list[str]:
        """Why parting is not the plain inverse, in words; empty: it is."""
        taken = sum(self.spent.values())
        told = [
            (taken, f"{taken} of the points that came along were spent"),
            (self.owed, f"{self.owed} points of the debt that came along were paid by the survivor"),
            (self.borne, f"{self.borne} points of refunds were borne by the survivor"),
            (self.held, f"{self.held} of the points that came along are set aside by an open hold"),
            (self.moved_on, "the survivor has become part of another member itself"),
        ]
        return [words for amount, words in told if amount]

    @property
    def plain(self) -> bool:
        """Whether parting is the exact inverse of merging."""
        return not self.reasons

    @property
    def made_good(self) -> int:
        """What the survivor owes for what it spent, less the debt that it paid."""
        return max(sum(self.spent.values()) - self.owed, 0)
