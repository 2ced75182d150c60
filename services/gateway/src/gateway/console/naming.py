"""The customers behind members' ids: loyalty knows members by number, people by name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from gateway.console.web import backend

MOST = 100  # ids in one question


def name_of(row: Mapping[str, Any], names: Mapping[str, Mapping[str, Any]]) -> str:
    """The name of the customer of a row; '' where it isn't known."""
    known = names.get(row["customer_id"])
    return str(known["name"]) if known else ""


def with_customers(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Each row with its ``customer``; None where the registry is silent or shows this reader no such customer."""
    told = list(rows)
    known = customers_named(row["customer_id"] for row in told)
    return [{**row, "customer": known.get(row["customer_id"])} for row in told]


def customers_named(ids: Iterable[str]) -> Mapping[str, Mapping[str, Any]]:
    """id → customer, of those whom this reader may see; none where the registry is away: numbers are shown then."""
    wanted = sorted(set(ids))
    asked = [wanted[at : at + MOST] for at in range(0, len(wanted), MOST)]
    questions = {str(n): ("customers", {"ids": ",".join(some), "limit": MOST}) for n, some in enumerate(asked)}
    parts = backend().fan_out(questions) if questions else {}
    return {one["id"]: one for part in parts.values() for one in part.entries}
