"""Which roles may do what here: a table, read by the guard of every view. The administrator may do all of it."""

from __future__ import annotations

from collections.abc import Mapping

_FRONT = frozenset(
    {"front_desk", "account_manager", "handler", "service_manager", "store_manager", "director", "marketing"}
)
_LOOKING = frozenset({"auditor", "finance", "supervisor"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "members:read": _FRONT | _LOOKING | {"integration"},
    "points:hold": frozenset({"front_desk", "service_manager", "store_manager", "director", "integration"}),
    "ledger:reconcile": frozenset({"finance", "auditor", "director"}),
    "loyalty:reports": frozenset({"finance", "auditor", "director", "marketing", "store_manager"}),
}
