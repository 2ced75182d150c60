"""Asking for a code, sending it, trying it.

Asking writes the same row at the same cost for every number and answers before anybody has looked whose it is; that is
the worker's errand. So neither the answer nor its time tells whether a number is a customer's.
"""

from __future__ import annotations

import uuid
from math import ceil

import structlog
from sqlalchemy import delete, func, select, text, update
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.ids import uuid7
from chassis.runtime import Context
from chassis.timing import due
from chassis.timing.due import DueRow
from chassis.web.problems import TooMany
from gateway.codes.domain import LIFE, PER_NUMBER, TRIES, fresh_code, number_key
from gateway.codes.errands import Errands
from gateway.codes.tables import OneTimeCode
from gateway.signin.passwords import hash_password, matches

SEND = "one-time-code"
_log = structlog.get_logger(__name__)


def ask_for_code(context: Context, phone: str, locale: str | None) -> None:
    """Have a code sent to a number, if it is a customer's. Raises TooMany past the number's limits, known or not."""
    session, now = context.session, context.clock.now()
    key = number_key(context.runtime.settings.field_keys[0], phone)
    lock = int.from_bytes(key[:8], signed=True)
    session.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": lock})  # two at once count as two
    for span, most in PER_NUMBER:
        recent = select(func.count(), func.min(OneTimeCode.asked_at)).where(
            OneTimeCode.number_key == key, OneTimeCode.asked_at > now - span
        )
        count, first = session.execute(recent).one()
        if count >= most:
            raise TooMany(
                "Too many codes were asked for under this number.", ceil((first + span - now).total_seconds())
            )
    earlier = update(OneTimeCode).where(OneTimeCode.number_key == key, OneTimeCode.expires_at > now)
    session.execute(earlier.values(expires_at=now))  # a new code ends the one before, sent or not
    code = fresh_code()
    row = OneTimeCode(
        id=uuid7(now),
        number_key=key,
        phone=phone,
        code=code,
        code_hash=hash_password(code),
        locale=locale,
        asked_at=now,
        expires_at=now + LIFE,
        tries=0,
    )
    session.add(row)
    session.flush()
    due.schedule(session, SEND, str(row.id), now)


def send_code(context: Context, row: DueRow) -> None:
    """Find out whose number it is, and send the code there. Fails, to be tried again, while a service is away."""
    found = context.session.get(OneTimeCode, uuid.UUID(row.key), with_for_update=True)
    if found is None or found.phone is None or found.code is None:
        return
    if context.clock.now() < found.expires_at:
        errands = Errands.of(context)
        customer_id = errands.whose_number(found.phone)
        if customer_id is not None:
            minutes = int(LIFE.total_seconds()) // 60
            errands.send(found.id, customer_id, found.phone, found.code, minutes, found.locale)
        found.customer_id = customer_id
        _log.info("one_time_code_done", code_id=str(found.id), sent=customer_id is not None)
    found.phone = found.code = None


def try_code(session: Session, clock: Clock, secret: str, phone: str, code: str) -> tuple[uuid.UUID, uuid.UUID] | None:
    """The code's id and its customer's, or None. Counts the try, and takes as long whether there is a code or not."""
    now = clock.now()
    newest = (
        select(OneTimeCode)
        .where(OneTimeCode.number_key == number_key(secret, phone), OneTimeCode.expires_at > now)
        .order_by(OneTimeCode.asked_at.desc(), OneTimeCode.id.desc())
        .limit(1)
        .with_for_update()
    )
    row = session.scalar(newest)
    if row is None or row.used_at is not None or row.tries >= TRIES:
        matches(code, None)
        return None
    row.tries += 1
    right = matches(code, row.code_hash)
    return (row.id, row.customer_id) if right and row.customer_id is not None else None


def use_code(session: Session, clock: Clock, code_id: uuid.UUID) -> bool:
    """Spend a code that was right. False: another request was quicker."""
    spent = update(OneTimeCode).where(OneTimeCode.id == code_id, OneTimeCode.used_at.is_(None))
    return session.execute(spent.values(used_at=clock.now()).returning(OneTimeCode.id)).first() is not None


def forget(context: Context) -> bool:
    """Schedule step: drop codes that no limit counts any more."""
    longest = max(span for span, _ in PER_NUMBER)
    context.session.execute(delete(OneTimeCode).where(OneTimeCode.asked_at < context.clock.now() - longest))
    return False
