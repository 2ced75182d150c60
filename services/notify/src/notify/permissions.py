"""Permission → the roles that hold it. The administrator holds all (decision 14)."""

from __future__ import annotations

from collections.abc import Mapping

_SERVING = frozenset({"front_desk", "account_manager", "handler", "service_manager", "store_manager", "director"})
_LOOKING = frozenset({"supervisor", "auditor", "marketing"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "templates:read": frozenset(
        {"handler", "service_manager", "store_manager", "director", "marketing", "supervisor", "auditor"}
    ),
    "templates:write": frozenset({"service_manager", "director", "marketing"}),
    "messages:read": _SERVING | _LOOKING,
    "messages:texts": _SERVING,  # what was said and where it went; the others see that it was
    "messages:send": (_SERVING - {"front_desk"}) | {"marketing", "portal"},  # the portal sends one-time codes
    "messages:cancel": (_SERVING - {"front_desk"}) | {"marketing"},
    "routes:read": frozenset({"service_manager", "store_manager", "director", "marketing", "supervisor", "auditor"}),
    "routes:write": frozenset({"director"}),
    "preferences:read": _SERVING | {"auditor", "marketing"},
    "preferences:write": _SERVING,
    "suppressions:read": frozenset({"service_manager", "store_manager", "director", "auditor"}),
    "suppressions:write": frozenset({"service_manager", "director"}),
}
