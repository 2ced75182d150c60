"""Which roles may do what here: a table, read by the guard of every view. The administrator may do all of it."""

from __future__ import annotations

from collections.abc import Mapping

_FRONT = frozenset(
    {"front_desk", "account_manager", "handler", "service_manager", "store_manager", "director", "marketing"}
)
_HEADS = frozenset({"service_manager", "store_manager", "director"})
_LOOKING = frozenset({"auditor", "finance", "supervisor"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "customers:read": _FRONT | _LOOKING | {"integration"},
    "customers:recognise": frozenset({"portal"}),
    "customers:contacts": _FRONT - {"marketing"},
    "customers:write": _FRONT | {"integration"},
    "customers:standing": _FRONT | _LOOKING | {"integration"},
    "customers:import": frozenset({"director", "marketing", "integration"}),
    "blacklist:propose": _HEADS | {"account_manager", "handler"},
    "blacklist:approve": _HEADS,
    "purchases:publish": frozenset({"integration"}),
    "purchases:read": _FRONT | _LOOKING | {"integration"},
    "purchases:map_stores": frozenset({"director", "store_manager"}),
    "segmentation:read": _FRONT | _LOOKING,
    "segmentation:run": frozenset({"director", "marketing"}),
    "segmentation:approve": frozenset({"director", "service_manager"}),
    "insight:read": _HEADS | _LOOKING | {"marketing"},
}
