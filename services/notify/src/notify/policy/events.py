"""Which events there are to route, and what their data hold: read from the contract, never listed by hand."""

from __future__ import annotations

from functools import cache

from kezhi_contracts import schemas

FAMILIES = (
    "accountability", "complaint", "customer", "dealer", "link", "member", "points", "reward", "shipment",
    "suggestion", "survey", "tier", "visit", "workorder",
)  # fmt: skip


@cache
def types_routed() -> tuple[str, ...]:
    """Every event type with its version that a route may name: ours (notification.*) and the plumbing's are not."""
    return tuple(type_ for type_ in schemas.types() if type_.split(".")[0] in FAMILIES)


@cache
def events_known() -> frozenset[str]:
    """The same without their versions."""
    return frozenset(type_.rsplit(".", 1)[0] for type_ in types_routed())


@cache
def members_of(event: str) -> frozenset[str] | None:
    """The members of an event's data, of all its versions; None for an event that there is not."""
    found = [type_ for type_ in types_routed() if type_.rsplit(".", 1)[0] == event]
    if not found:
        return None
    return frozenset(name for type_ in found for name in schemas.document(type_)["properties"]["data"]["properties"])
