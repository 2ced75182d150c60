"""Is the bearer of a valid token still welcome? Asked of the local copy, remembered for a few seconds."""

from __future__ import annotations

import time

from sqlalchemy import select
from sqlalchemy.orm import Session, sessionmaker

from chassis.people.copy import StaffRow
from chassis.web.principal import Principal
from chassis.web.tokens import NotAuthentic

_REMEMBERED = 3.0  # seconds a disabled person may still get through after the copy has learnt of it
_MOST = 10_000


class Directory:
    """Staff this process has looked up lately. Whom the copy doesn't know yet is welcome: the token was just issued."""

    def __init__(self, sessions: sessionmaker[Session]) -> None:
        self.sessions = sessions
        self._checked: dict[str, float] = {}

    def refuse_disabled(self, principal: Principal) -> None:
        """Raises NotAuthentic for staff whose local copy is disabled (decision 12)."""
        if principal.kind != "staff":
            return
        now = time.monotonic()
        if now < self._checked.get(principal.id, 0.0):
            return
        with self.sessions() as session:
            enabled = session.scalar(select(StaffRow.enabled).where(StaffRow.id == principal.id))
        if enabled is False:
            raise NotAuthentic("this account is disabled")
        if len(self._checked) >= _MOST:
            self._checked.clear()
        self._checked[principal.id] = now + _REMEMBERED
