"""Browser sessions: a 256-bit cookie of which only the hash is kept, bound to a sign-in that can be revoked.

The cookie is no token: each request finds the session's member of staff anew, so that whoever was disabled or changed
their password is out at the next click. The short access token for the services behind is minted here and never
reaches the browser.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import uuid
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from gateway.console.tables import ConsoleSession
from gateway.people.tables import Staff
from gateway.signin import refresh
from gateway.signin.keys import signing_key
from gateway.signin.tables import SignInFamily
from gateway.signin.tokens import STAFF_LIFE, staff_token

_TOUCH = timedelta(minutes=5)  # a click within this of the last one needs no write
_REMEMBERED = 2048  # tokens


@dataclass(frozen=True)
class Visit:
    """Who is looking, as the sessions' table and the staff's say now."""

    staff_id: uuid.UUID
    username: str
    name: str
    unit_path: str
    unit_name: str
    roles: frozenset[str]
    csrf: str
    token: str

    def holds(self, roles: Sequence[str] | frozenset[str]) -> bool:
        """Has one of these roles, or is an administrator."""
        return "administrator" in self.roles or not self.roles.isdisjoint(roles)


class Tokens:
    """Minted access tokens by session and state of the person, for half of their life: the services behind
    remember a token that they have verified, and a new one with every click would cost them a signature each time.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._minted: OrderedDict[tuple[bytes, int], tuple[str, datetime]] = OrderedDict()

    def token_for(self, session: Session, clock: Clock, key: bytes, staff: Staff) -> str:
        """The token of this person in this session."""
        now, known = clock.now(), (key, staff.version)
        with self._lock:
            minted = self._minted.get(known)
            if minted is not None and now < minted[1]:
                return minted[0]
        token = staff_token(signing_key(session, clock), staff, now)
        with self._lock:
            self._minted[known] = (token, now + STAFF_LIFE / 2)
            while len(self._minted) > _REMEMBERED:
                self._minted.popitem(last=False)
        return token


def begin(session: Session, clock: Clock, staff_id: uuid.UUID) -> str:
    """A new session for someone who proved who they are; answers the cookie's value."""
    now, cookie = clock.now(), secrets.token_urlsafe(32)
    family = refresh.open_family(session, clock, staff_id)
    session.add(
        ConsoleSession(
            hash=_hash(cookie),
            family_id=family.id,
            csrf=secrets.token_urlsafe(24),
            seen_at=now,
            expires_at=min(now + refresh.IDLE_LIFE, family.ends_at),
        )
    )
    return cookie


def find(session: Session, clock: Clock, tokens: Tokens, cookie: str) -> Visit | None:
    """Whose session this cookie is; None when it is nobody's any more."""
    now, key = clock.now(), _hash(cookie)
    found = session.execute(
        select(ConsoleSession, SignInFamily, Staff)
        .join(SignInFamily, ConsoleSession.family_id == SignInFamily.id)
        .join(Staff, SignInFamily.staff_id == Staff.id)
        .where(
            ConsoleSession.hash == key,
            ConsoleSession.expires_at > now,
            SignInFamily.revoked_at.is_(None),
            SignInFamily.ends_at > now,
            Staff.enabled,
        )
    ).first()
    if found is None:
        return None
    row, family, staff = found
    if now - row.seen_at > _TOUCH:
        row.seen_at, row.expires_at = now, min(now + refresh.IDLE_LIFE, family.ends_at)
    return Visit(
        staff_id=staff.id,
        username=staff.username,
        name=staff.name,
        unit_path=staff.unit.path,
        unit_name=staff.unit.name,
        roles=frozenset(staff.roles),
        csrf=row.csrf,
        token=tokens.token_for(session, clock, key, staff),
    )


def end(session: Session, clock: Clock, cookie: str) -> None:
    """Sign out: the sign-in is revoked, the session forgotten."""
    row = session.get(ConsoleSession, _hash(cookie))
    if row is not None:
        refresh.end_family(session, clock, row.family_id, "signed out")
        session.delete(row)


def forget_old_sessions(session: Session, clock: Clock) -> None:
    """Drop sessions that lay idle too long."""
    session.execute(delete(ConsoleSession).where(ConsoleSession.expires_at < clock.now()))


def _hash(cookie: str) -> bytes:
    return hashlib.sha256(cookie.encode()).digest()
