"""Refresh tokens: each is good once and begets the next; a second use means a thief, and ends the family."""

from __future__ import annotations

import hashlib
import secrets
import uuid
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.ids import uuid7
from gateway.signin.tables import RefreshToken, SignInFamily

IDLE_LIFE = timedelta(hours=12)  # a working day; then one signs in again
FAMILY_LIFE = timedelta(days=7)
KEPT_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Turn:
    """What presenting a refresh token came to: the next one, or why not."""

    staff_id: uuid.UUID | None = None
    token: str | None = None
    refused: str | None = None


def begin_family(session: Session, clock: Clock, staff_id: uuid.UUID) -> str:
    """A new sign-in: its first refresh token."""
    return _issue(session, clock, open_family(session, clock, staff_id))


def open_family(session: Session, clock: Clock, staff_id: uuid.UUID) -> SignInFamily:
    """A new sign-in that nothing hangs on yet: refresh tokens do, and browser sessions."""
    now = clock.now()
    family = SignInFamily(id=uuid7(now), staff_id=staff_id, signed_in_at=now, ends_at=now + FAMILY_LIFE)
    session.add(family)
    session.flush()
    return family


def take_turn(session: Session, clock: Clock, token: str) -> Turn:
    """Use a token up and issue the next. The caller commits whatever comes: reuse must leave its trace."""
    found = _locked(session, token)
    if found is None:
        return Turn(refused="unknown")
    link, family = found
    now = clock.now()
    if family.revoked_at is not None:
        return Turn(refused="revoked")
    if link.used_at is not None:
        _revoke(family, clock, "a refresh token was used twice")
        return Turn(family.staff_id, refused="reused")
    if now >= min(link.expires_at, family.ends_at):
        return Turn(family.staff_id, refused="expired")
    link.used_at = now
    return Turn(family.staff_id, _issue(session, clock, family))


def end_sign_in(session: Session, clock: Clock, token: str) -> uuid.UUID | None:
    """Sign out: revoke the token's family; answers whose it was, None for an unknown token."""
    found = _locked(session, token)
    if found is None:
        return None
    _revoke(found[1], clock, "signed out")
    return found[1].staff_id


def end_family(session: Session, clock: Clock, family_id: uuid.UUID, reason: str) -> None:
    """Revoke one sign-in, whatever hangs on it."""
    _revoke(session.get_one(SignInFamily, family_id, with_for_update=True), clock, reason)


def end_all_sign_ins(session: Session, clock: Clock, staff_id: uuid.UUID, reason: str) -> None:
    """Revoke every living family of one person."""
    session.execute(
        update(SignInFamily)
        .where(SignInFamily.staff_id == staff_id, SignInFamily.revoked_at.is_(None))
        .values(revoked_at=clock.now(), revoked_because=reason)
    )


def forget_old_sign_ins(session: Session, clock: Clock) -> None:
    """Drop families, with their tokens, a month after they could last be used."""
    session.execute(delete(SignInFamily).where(SignInFamily.ends_at < clock.now() - KEPT_AFTER))


def _issue(session: Session, clock: Clock, family: SignInFamily) -> str:
    token = f"kr_{secrets.token_urlsafe(32)}"
    now = clock.now()
    expires_at = min(now + IDLE_LIFE, family.ends_at)
    session.add(RefreshToken(hash=_hash(token), family_id=family.id, issued_at=now, expires_at=expires_at))
    return token


def _locked(session: Session, token: str) -> tuple[RefreshToken, SignInFamily] | None:
    # The family's row is the lock: of two simultaneous uses one comes second, and finds the token used.
    family = session.scalar(
        select(SignInFamily)
        .join(RefreshToken, RefreshToken.family_id == SignInFamily.id)
        .where(RefreshToken.hash == _hash(token))
        .with_for_update(of=SignInFamily)
    )
    if family is None:
        return None
    return session.get_one(RefreshToken, _hash(token), populate_existing=True), family


def _revoke(family: SignInFamily, clock: Clock, reason: str) -> None:
    if family.revoked_at is None:
        family.revoked_at, family.revoked_because = clock.now(), reason


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()
