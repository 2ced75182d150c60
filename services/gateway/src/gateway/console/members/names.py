"""Whose rows these are: the customers behind the ids that the loyalty service speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.console.web import backend


def with_customers(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each row with its ``customer``; None where the registry is silent or shows this reader no such customer."""
    told = list(rows)
    ids = sorted({row["customer_id"] for row in told})
    known: dict[str, Any] = {}
    if ids:
        asked = ("customers", {"ids": ",".join(ids), "limit": len(ids)})
        known = {one["id"]: one for one in backend().fan_out({"customers": asked})["customers"].entries}
    return [{**row, "customer": known.get(row["customer_id"])} for row in told]
