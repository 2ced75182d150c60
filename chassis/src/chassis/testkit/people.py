"""Staff and units in a service's copy, told as the gateway would tell them.

company = Company(runtime)
company.unit("SH", head="zhou")
company.employ("li", ["handler"], unit="SH", superior="zhou")
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime
from typing import Any

from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from chassis.testkit.tokens import bearer, staff_id


class Company:
    """The organisation as one or more services know it. Whoever is told of again gets the new state."""

    def __init__(self, *runtimes: Runtime, told: int = 0) -> None:
        self.runtimes = runtimes
        self._units: dict[str, dict[str, Any]] = {}
        self._staff: dict[str, dict[str, Any]] = {}
        self._told = told  # the sequence of the last state told

    def unit(self, code: str, parent: str | None = None, head: str | None = None, **more: Any) -> str:
        """Open or change a unit; answers its path, without the closing slash."""
        above = self._units[parent]["path"] if parent else ""
        state = {
            "unit_id": str(uuid.uuid5(uuid.NAMESPACE_URL, code)),
            "code": code,
            "name": code,
            "path": f"{above}/{code}",
            "parent": parent,
            "head": head,
            **more,
        }
        self._units[code] = state
        self._tell("unit.changed.v1", state["unit_id"], state)
        return str(state["path"])

    def employ(
        self,
        username: str,
        roles: Sequence[str],
        unit: str | None = None,
        superior: str | None = None,
        away: tuple[datetime, datetime] | None = None,
        **more: Any,
    ) -> str:
        """Take on or change a member of staff; answers the username. ``unit`` None: at the company itself."""
        state = {
            "staff_id": staff_id(username),
            "username": username,
            "name": username.title(),
            "enabled": True,
            "unit": unit or "HQ",
            "unit_path": self.path(unit),
            "roles": list(roles),
            "superior": superior,
            "away_from": away[0].isoformat() if away else None,
            "away_until": away[1].isoformat() if away else None,
            **more,
        }
        self._staff[username] = state
        self._tell("staff.changed.v1", state["staff_id"], state)
        return username

    def path(self, unit: str | None) -> str:
        """Where a unit stands in the tree."""
        return str(self._units[unit]["path"]) if unit else "/"

    def bearer(self, username: str) -> str:
        """The ``Authorization`` header of somebody who works here."""
        known = self._staff[username]
        path = str(known["unit_path"])
        return bearer(known["roles"], path if path.endswith("/") else path + "/", username)

    def _tell(self, type_: str, subject: str, data: dict[str, Any]) -> None:
        self._told += 1
        for runtime in self.runtimes:
            event = {
                "specversion": "1.0",
                "id": f"people-{self._told}",
                "source": "/kezhi/gateway",
                "type": type_,
                "subject": subject,
                "time": runtime.clock.now().isoformat(),
                "sequence": f"{self._told:020d}",
                "data": data,
            }
            said = deliver(runtime, "staff", [event])
            assert said == ["accepted"], said  # noqa: S101 - a test's own tool
