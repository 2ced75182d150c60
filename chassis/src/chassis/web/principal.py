"""Who is asking: what a verified token says of a member of staff, a system with an API key, or this service itself."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

ADMINISTRATOR = "administrator"
AUDITOR = "auditor"

# What every service answers for beside its own resources; the service's permissions are laid over these.
CHASSIS_PERMISSIONS: Mapping[str, frozenset[str]] = {
    "policies:read": frozenset({ADMINISTRATOR, AUDITOR}),
    "policies:write": frozenset({ADMINISTRATOR}),
    "dead-letters:read": frozenset({ADMINISTRATOR, AUDITOR}),
    "dead-letters:write": frozenset({ADMINISTRATOR}),
    "audit:read": frozenset({ADMINISTRATOR, AUDITOR}),
    "approvals:read": frozenset({ADMINISTRATOR, AUDITOR}),
    "jobs:read": frozenset({ADMINISTRATOR, AUDITOR}),
    "jobs:write": frozenset({ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class Principal:
    """One caller. ``id`` is the staff id or the API key's id; ``unit_path`` ends in ``/``."""

    id: str
    username: str
    kind: Literal["staff", "api_key", "system", "public"]
    unit_path: str
    roles: frozenset[str]
    sources: frozenset[str] = frozenset()  # event sources an API key may claim
    permissions: frozenset[str] = field(default=frozenset(), repr=False)

    def may(self, permission: str) -> bool:
        """Does one of the roles hold this permission? The administrator holds all of them (decision 14)."""
        return permission in self.permissions or ADMINISTRATOR in self.roles

    def sees_unit(self, path: str | None) -> bool:
        """Is the unit at ``path`` the caller's own or below it? What belongs to no unit is seen by the root alone."""
        if self.kind == "system":
            return True
        return closed(path or "/").startswith(self.unit_path)


def closed(path: str) -> str:
    """A unit path with its closing slash, so that ``/east/`` is never taken for a part of ``/eastern/``."""
    return path if path.endswith("/") else path + "/"


PUBLIC = Principal("public", "public", "public", "/-/", frozenset())


def system(service: str) -> Principal:
    """The service acting on its own behalf: schedules, event handlers, the command line."""
    return Principal(f"system:{service}", service, "system", "/", frozenset())


class Permissions:
    """The permission table of one service, asked once per token."""

    def __init__(self, declared: Mapping[str, frozenset[str]]) -> None:
        self.table: dict[str, frozenset[str]] = {**CHASSIS_PERMISSIONS, **declared}

    def of(self, roles: frozenset[str]) -> frozenset[str]:
        """All permissions these roles hold."""
        if ADMINISTRATOR in roles:
            return frozenset(self.table)
        return frozenset(name for name, holders in self.table.items() if holders & roles)
