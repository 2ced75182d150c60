"""The first day: a company without staff gets its root unit, its first administrator, its signing key."""

from __future__ import annotations

import secrets

import structlog
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.ids import uuid7
from gateway.people.announcements import announce_staff
from gateway.people.domain import ADMINISTRATOR
from gateway.people.tables import Staff
from gateway.people.units import open_company
from gateway.signin import passwords
from gateway.signin.keys import ensure_key

_log = structlog.get_logger(__name__)
_FOUNDING = 0x666F756E  # advisory lock: two replicas that start together found one company


def found_company(session: Session, password: str | None = None, name: str = "Company") -> str | None:
    """Create root unit, ``admin`` and signing key in an empty installation; do nothing in any other.

    Answers the administrator's password only when it was made up here: show it once, it is stored nowhere. A
    password that the operator chose is taken as it is, because refusing it would leave nobody to sign in; a
    weak one is logged.
    """
    clock: Clock = session.info["clock"]
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _FOUNDING})
    if session.scalar(select(Staff.id).limit(1)):
        return None
    given = password or secrets.token_urlsafe(15)
    now = clock.now()
    staff = Staff(
        id=uuid7(now),
        username="admin",
        name="Administrator",
        unit=open_company(session, clock, name),
        roles=[ADMINISTRATOR],
        enabled=True,
        password_hash=passwords.hash_password(given),
        version=0,
        created_at=now,
        updated_at=now,
    )
    session.add(staff)
    announce_staff(session, staff, clock)
    ensure_key(session, clock)
    if password and (reason := passwords.weakness(password, staff.username)):
        _log.warning("weak_administrator_password", reason=reason)
    return None if password else given
