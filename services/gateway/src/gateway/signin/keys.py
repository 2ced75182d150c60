"""The keys that sign tokens: published before they sign, published after they stopped, never both at once.

A new key waits ``PUBLISHED_AHEAD`` in the JWKS, so that every service's cached copy has it when the first
token signed by it arrives; the old one stays ``PUBLISHED_AFTER`` longer than any token it signed can live.
"""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

from joserfc.jwk import OKPKey
from sqlalchemy import select, text, update
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.ids import uuid7
from chassis.runtime import Runtime
from chassis.web.tokens import Keys
from gateway.signin.tables import SigningKey

PUBLISHED_AHEAD = timedelta(minutes=10)
PUBLISHED_AFTER = timedelta(minutes=20)
_KEYS = 0x6B657973  # advisory lock: one rotation at a time


def ensure_key(session: Session, clock: Clock) -> None:
    """Make the first signing key where there is none."""
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEYS})
    if not session.scalar(select(SigningKey.kid).limit(1)):
        _add(session, clock, ahead=timedelta(0))


def rotate(session: Session, clock: Clock, *, at_once: bool = False) -> str:
    """Publish a new key and let the old ones run out; answers the new key's id.

    ``at_once`` is for a key that leaked: the new one signs now and the old ones are withdrawn now. Services
    that hold the old one in their cached JWKS believe it ten minutes more; restart them to cut that short.
    """
    session.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _KEYS})
    ahead = timedelta(0) if at_once else PUBLISHED_AHEAD
    withdrawn = clock.now() if at_once else clock.now() + PUBLISHED_AHEAD + PUBLISHED_AFTER
    still_there = SigningKey.withdrawn_at.is_(None) | (SigningKey.withdrawn_at > withdrawn)
    session.execute(update(SigningKey).where(still_there).values(withdrawn_at=withdrawn))
    return _add(session, clock, ahead)


def signing_key(session: Session, clock: Clock) -> OKPKey:
    """The newest key that may sign now."""
    now = clock.now()
    row = session.scalars(
        select(SigningKey)
        .where(SigningKey.active_from <= now, SigningKey.withdrawn_at.is_(None) | (SigningKey.withdrawn_at > now))
        .order_by(SigningKey.active_from.desc(), SigningKey.kid.desc())
        .limit(1)
    ).one()
    return OKPKey.import_key(json.loads(row.private))


def published(session: Session, clock: Clock) -> dict[str, Any]:
    """The JWKS document: public halves only, the newest first."""
    rows = session.scalars(
        select(SigningKey.public)
        .where(SigningKey.withdrawn_at.is_(None) | (SigningKey.withdrawn_at > clock.now()))
        .order_by(SigningKey.active_from.desc())
    )
    return {"keys": list(rows)}


class OwnKeys(Keys):
    """The gateway checks tokens by its own table: asking itself over HTTP could wait for a thread that
    waits for it.
    """

    def __init__(self, runtime: Runtime) -> None:
        super().__init__(runtime.settings.jwks_url)
        self._runtime = runtime

    def _read(self) -> bytes:
        with self._runtime.context() as context:
            return json.dumps(published(context.session, context.clock)).encode()


def _add(session: Session, clock: Clock, ahead: timedelta) -> str:
    now = clock.now()
    kid = str(uuid7(now))
    key = OKPKey.generate_key("Ed25519", {"kid": kid, "use": "sig", "alg": "EdDSA"})
    session.add(
        SigningKey(
            kid=kid,
            public=key.as_dict(private=False),
            private=json.dumps(key.as_dict(private=True)),
            created_at=now,
            active_from=now + ahead,
        )
    )
    session.flush()
    return kid
