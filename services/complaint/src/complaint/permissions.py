"""Permission → the roles that hold it. The administrator holds all (decision 14).

``portal`` is the role of the gateway's own identity, for exactly what the public portal does on a customer's behalf.
"""

from __future__ import annotations

from collections.abc import Mapping

_HANDLING = frozenset({"handler", "service_manager", "store_manager", "director"})
_MANAGING = _HANDLING - {"handler"}
_FRONT = frozenset({"front_desk", "account_manager"})
_LOOKING = frozenset({"supervisor", "auditor"})

PERMISSIONS: Mapping[str, frozenset[str]] = {
    "complaints:read": _HANDLING | _FRONT | _LOOKING,
    "complaints:create": _HANDLING | _FRONT | {"portal", "supervisor", "integration"},
    "complaints:act": _HANDLING | {"front_desk", "supervisor"},
    "complaints:call-back": _HANDLING | {"front_desk", "supervisor"},
    "complaints:hand-over": _MANAGING,
    "complaint-reports:read": _MANAGING | _LOOKING | {"marketing"},
    "links:use": frozenset({"portal"}),
    "calendar:read": _HANDLING | _FRONT | _LOOKING,
    "calendar:write": frozenset({"director"}),
}
