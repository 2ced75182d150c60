"""Permission → the roles that hold it. The administrator holds all (decision 14)."""

from __future__ import annotations

from collections.abc import Mapping

ADMINISTRATOR = "administrator"

PEOPLE = frozenset(
    {
        "front_desk",
        "account_manager",
        "handler",
        "service_manager",
        "store_manager",
        "director",
        "supervisor",
        "marketing",
        "finance",
        "auditor",
        ADMINISTRATOR,
    }
)

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "staff:read": PEOPLE,
    "staff:write": frozenset({ADMINISTRATOR}),
    "units:read": PEOPLE | {"integration"},
    "units:write": frozenset({ADMINISTRATOR}),
    "roles:read": PEOPLE,
    "api-keys:read": frozenset({"auditor", ADMINISTRATOR}),
    "api-keys:write": frozenset({ADMINISTRATOR}),
}
