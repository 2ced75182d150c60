"""Signing in, staying in, going out, changing one's own password.

Refusals are answers here, not exceptions: a failed guess and a reused token must be committed, and an
exception would roll them back.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Forbidden
from gateway.people.domain import fold_username
from gateway.people.tables import Staff
from gateway.signin import lockout, passwords, refresh, tokens
from gateway.signin.keys import signing_key


@dataclass(frozen=True)
class Admission:
    """Tokens for someone who got in, or how it went for someone who did not."""

    staff: Staff | None = None
    access_token: str | None = None
    refresh_token: str | None = None
    wait_until: datetime | None = None
    refused: str | None = None


def sign_in(session: Session, clock: Clock, username: str, password: str) -> Admission:
    """Check username and password, and give tokens."""
    proven = prove(session, clock, username, password)
    if proven.staff is None or proven.refused:
        return proven
    return _admit(session, clock, proven.staff, refresh.begin_family(session, clock, proven.staff.id))


def prove(session: Session, clock: Clock, username: str, password: str) -> Admission:
    """Check username and password without giving tokens: what a browser session begins with.

    Unknown, disabled and password-less accounts cost the same time and get the same answer as a wrong
    password.
    """
    username, now = fold_username(username), clock.now()
    if wait_until := lockout.waiting_until(session, username, now):
        return Admission(wait_until=wait_until, refused="locked")
    staff = session.scalar(select(Staff).where(Staff.username == username))
    right = passwords.matches(password, staff.password_hash if staff else None)
    if staff is None or not right or not staff.enabled:
        lockout.note_failure(session, username, now)
        return Admission(staff=staff, refused="credentials")
    lockout.forgive(session, username)
    if staff.password_hash and passwords.outdated(staff.password_hash):
        staff.password_hash = passwords.hash_password(password)
    return Admission(staff=staff)


def stay_signed_in(session: Session, clock: Clock, refresh_token: str) -> Admission:
    """Exchange a refresh token; roles and unit in the new access token are those of now."""
    turn = refresh.take_turn(session, clock, refresh_token)
    staff = session.get(Staff, turn.staff_id) if turn.staff_id else None
    if turn.refused or staff is None or turn.token is None:
        return Admission(staff=staff, refused=turn.refused)
    if not staff.enabled:
        refresh.end_all_sign_ins(session, clock, staff.id, "account disabled")
        return Admission(staff=staff, refused="disabled")
    return _admit(session, clock, staff, turn.token)


def change_own_password(session: Session, clock: Clock, staff_id: uuid.UUID, current: str, new: str) -> bool:
    """Set one's own password, which ends every sign-in. False when ``current`` is wrong or locked."""
    staff = session.get(Staff, staff_id, with_for_update={"of": Staff})
    if staff is None:
        raise Forbidden("Only staff have a password.")
    if lockout.waiting_until(session, staff.username, clock.now()):
        return False
    if not passwords.matches(current, staff.password_hash):
        lockout.note_failure(session, staff.username, clock.now())
        return False
    staff.password_hash = passwords.checked_hash(new, staff.username)
    refresh.end_all_sign_ins(session, clock, staff.id, "password changed")
    return True


def _admit(session: Session, clock: Clock, staff: Staff, refresh_token: str) -> Admission:
    access = tokens.staff_token(signing_key(session, clock), staff, clock.now())
    return Admission(staff=staff, access_token=access, refresh_token=refresh_token)
