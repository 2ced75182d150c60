"""Making, revoking and exchanging API keys.

A key is ``kz_`` and 256 random bits. Only its SHA-256 is stored: a fast hash is right here, because nobody
guesses 256 bits, and the exchange must be quick.
"""

from __future__ import annotations

import hashlib
import secrets
import uuid
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Invalid, NotFound
from chassis.ids import uuid7
from gateway.api_keys.tables import ApiKey
from gateway.people.domain import ROOT_PATH
from gateway.people.staff import check_roles
from gateway.people.tables import Unit
from gateway.people.units import unit_by_code
from gateway.signin.keys import signing_key
from gateway.signin.tokens import key_token

PREFIX = "kz_"
USUAL_LIFE = timedelta(days=365)
LONGEST_LIFE = timedelta(days=730)


@dataclass(frozen=True)
class NewKey:
    """``sources``: the event sources the machine may claim; ``unit`` (a code) bounds its sight."""

    name: str
    roles: Collection[str]
    sources: Collection[str] = ()
    unit: str | None = None
    expires_at: datetime | None = None


def issue_key(
    session: Session, clock: Clock, known_roles: Collection[str], command: NewKey, by: str
) -> tuple[ApiKey, str]:
    """A new key and its secret, which nobody can show a second time."""
    check_roles(command.roles, known_roles)
    now = clock.now()
    expires_at = command.expires_at or now + USUAL_LIFE
    if not now < expires_at <= now + LONGEST_LIFE:
        raise Invalid("A key lives at most two years.", {"expires_at": ["must lie within the next two years"]})
    secret = PREFIX + secrets.token_urlsafe(32)
    unit = unit_by_code(session, command.unit, "unit") if command.unit else _company(session)
    key = ApiKey(
        id=uuid7(now),
        name=command.name,
        hint=secret[:8],
        hash=_hash(secret),
        roles=sorted(set(command.roles)),
        sources=sorted(set(command.sources)),
        unit=unit,
        created_by=by,
        created_at=now,
        expires_at=expires_at,
    )
    session.add(key)
    session.flush()
    return key, secret


def revoke_key(session: Session, clock: Clock, key_id: uuid.UUID) -> ApiKey:
    """End a key for good; doing it twice changes nothing. Raises NotFound."""
    key = session.get(ApiKey, key_id, with_for_update={"of": ApiKey})
    if key is None:
        raise NotFound("There is no such API key.")
    key.revoked_at = key.revoked_at or clock.now()
    return key


def exchange(session: Session, clock: Clock, secret: str) -> str | None:
    """The short token that a living key stands for; None for an unknown, revoked or expired one."""
    now = clock.now()
    key = session.scalar(
        select(ApiKey).where(ApiKey.hash == _hash(secret), ApiKey.revoked_at.is_(None), ApiKey.expires_at > now)
    )
    if key is None:
        return None
    return key_token(
        signing_key(session, clock),
        now,
        key_id=str(key.id),
        name=key.name,
        unit_path=key.unit.path,
        roles=key.roles,
        sources=key.sources,
    )


def _company(session: Session) -> Unit:
    return session.scalars(select(Unit).where(Unit.path == ROOT_PATH)).one()


def _hash(secret: str) -> bytes:
    return hashlib.sha256(secret.encode()).digest()
