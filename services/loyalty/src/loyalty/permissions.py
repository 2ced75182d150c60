"""Which roles may do what here: a table, read by the guard of every view. The administrator may do all of it."""

from __future__ import annotations

from collections.abc import Mapping

_FRONT = frozenset(
    {"front_desk", "account_manager", "handler", "service_manager", "store_manager", "director", "marketing"}
)
_LOOKING = frozenset({"auditor", "finance", "supervisor"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "members:read": _FRONT | _LOOKING | {"integration"},
    "members:balance": _FRONT | _LOOKING | {"integration", "portal"},  # the portal shows customers their own
    "quotes:read": _FRONT | _LOOKING | {"integration"},
    "holds:read": _FRONT | _LOOKING | {"integration"},
    "holds:write": frozenset({"front_desk", "service_manager", "store_manager", "director", "integration"}),
    "reconciliations:run": frozenset({"finance", "auditor", "director"}),
    "loyalty-reports:read": frozenset({"finance", "auditor", "director", "marketing", "store_manager"}),
}
