"""Whose rows these are: each row of the loyalty service beside the customer it speaks of."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.console.naming import customers_named


def with_customers(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each row with its ``customer``; None where the registry is silent or shows this reader no such customer."""
    told = list(rows)
    known = customers_named(row["customer_id"] for row in told)
    return [{**row, "customer": known.get(row["customer_id"])} for row in told]
