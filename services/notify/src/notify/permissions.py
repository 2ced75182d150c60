"""Permission → the roles that hold it. The administrator holds all (decision 14)."""

from __future__ import annotations

from collections.abc import Mapping

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "templates:read": frozenset(
        {"handler", "service_manager", "store_manager", "director", "marketing", "supervisor", "auditor"}
    ),
    "templates:write": frozenset({"service_manager", "director", "marketing"}),
}
