"""What a ``complaint.compensated`` event asks of the ledger."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID


@dataclass(frozen=True, slots=True)
class Compensation:
    """Points granted in one complaint. ``id`` identifies the fact, whatever event tells it."""

    id: UUID
    customer_id: UUID
    points: int
    complaint_id: UUID
    complaint_number: str
    approved_by: str | None
    clause: str | None


def read_compensation(data: Mapping[str, Any]) -> Compensation | None:
    """The event's data; None where no points were granted (a refund note, a replacement)."""
    if not data["points"]:
        return None
    return Compensation(
        id=UUID(data["compensation_id"]),
        customer_id=UUID(data["customer_id"]),
        points=data["points"],
        complaint_id=UUID(data["complaint_id"]),
        complaint_number=data["number"],
        approved_by=data.get("approved_by"),
        clause=data.get("clause"),
    )
