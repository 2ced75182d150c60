"""Issue vouchers, take them in once, void those of a redemption that is cancelled (CG-22)."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, NotFound
from chassis.ids import uuid7
from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.vouchers.domain import EXPIRED, ISSUED, USED, VOID, draw, normal, state
from loyalty.vouchers.tables import Voucher


def issue(
    session: Session,
    redemption_id: uuid.UUID,
    quantity: int,
    usable_for_days: int | None,
    policy: Policy,
    now: datetime,
) -> list[Voucher]:
    """So many new vouchers; each holds until the end of its last day in company time."""
    until = _valid_until(usable_for_days, policy, now)
    vouchers = [
        Voucher(
            id=uuid7(now), code=draw(), redemption_id=redemption_id, status=ISSUED, issued_at=now, valid_until=until
        )
        for _ in range(quantity)
    ]
    session.add_all(vouchers)
    return vouchers


def use(context: Context, said: str, store: str | None, reference: str | None, by: str) -> Voucher:
    """Take a voucher in. Whoever comes second is told when and where it was used.

    Raises NotFound for a code that is none, Conflict for a voucher that is used, void or expired.
    """
    now = context.clock.now()
    voucher = the_voucher(context.session, said, lock=True)
    match state(voucher.status, voucher.valid_until, now):
        case "used":
            where = f" at {voucher.store}" if voucher.store else ""
            raise Conflict(f"the voucher was used on {_said(voucher.used_at)}{where}", current=USED)
        case "void":
            raise Conflict("the voucher is void: its redemption was cancelled", current=VOID)
        case "expired":
            raise Conflict(f"the voucher could be used until {_said(voucher.valid_until)}", current=EXPIRED)
    voucher.status, voucher.used_at, voucher.used_by = USED, now, by
    voucher.store, voucher.reference = store, reference
    context.session.flush()
    return voucher


def void(session: Session, redemption_id: uuid.UUID, now: datetime) -> None:
    """Void the vouchers of a redemption that is cancelled.

    Raises Conflict when one of them was used or has expired: its points are spent.
    """
    for voucher in _locked(session, redemption_id):
        current = state(voucher.status, voucher.valid_until, now)
        if current != ISSUED:
            raise Conflict(f"voucher {voucher.code} is {current}: its redemption stands", current=current)
        voucher.status = VOID


def of_redemptions(session: Session, redemption_ids: Sequence[uuid.UUID]) -> dict[uuid.UUID, list[Voucher]]:
    """The vouchers of each."""
    found: dict[uuid.UUID, list[Voucher]] = {}
    for voucher in session.scalars(
        select(Voucher).where(Voucher.redemption_id.in_(redemption_ids)).order_by(Voucher.id)
    ):
        found.setdefault(voucher.redemption_id, []).append(voucher)
    return found


def the_voucher(session: Session, said: str, *, lock: bool = False) -> Voucher:
    """The voucher of a code, however it was typed. Raises NotFound."""
    code = normal(said)
    if code is None:
        raise NotFound("no voucher has this code: it was mistyped, as its check symbol says; type it again")
    found = select(Voucher).where(Voucher.code == code)
    voucher = session.scalar(found.with_for_update() if lock else found)
    if voucher is None:
        raise NotFound(f"no voucher has the code {code}")
    return voucher


def _locked(session: Session, redemption_id: uuid.UUID) -> Sequence[Voucher]:
    mine = select(Voucher).where(Voucher.redemption_id == redemption_id).order_by(Voucher.id)
    return session.scalars(mine.with_for_update()).all()


def _valid_until(usable_for_days: int | None, policy: Policy, now: datetime) -> datetime | None:
    company, pack = policy.company, policy.rules.catalogue.vouchers_valid_for
    today = company.day_of(now)
    if usable_for_days is not None:
        return company.end_of(today + timedelta(days=usable_for_days))
    return None if pack is None else company.end_of(pack.later(today))


def _said(at: datetime | None) -> str:
    return "" if at is None else at.isoformat()
