"""Set points aside, take them, give them back. A hold resolves once; whoever comes second is told how it ended."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta

import orjson
from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7, uuid7_texts
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.timing import due
from chassis.timing.due import DueRow
from loyalty.expiry.use_cases import catch_up
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.ledger.legs import legs
from loyalty.members.tables import Member
from loyalty.redemption.domain import CAPTURED, OPEN, RELEASED, TIMED_OUT, Reserved, reserve, resolve
from loyalty.redemption.spending import announce_spent, new_redemption, spendable, spender
from loyalty.redemption.tables import Hold, HoldLot, Redemption

TIME_OUT = "hold"  # kind of the due row
BUSY = timedelta(seconds=1)


def set_aside(
    context: Context,
    customer_id: uuid.UUID,
    points: int,
    expires_at: datetime | None = None,
    reference: str | None = None,
    created_by: str | None = None,
) -> Hold:
    """Hold points of a member for a redemption that is not final yet.

    Raises NotFound for an unknown customer, Conflict when fewer points are available (decision 28) or the member is
    blacklisted or flagged.
    """
    session, policy = context.session, context.policies.in_force()
    books = Books(session)
    account = spender(books, customer_id)
    lots = spendable(books, account, points, policy)
    if expires_at is None:
        expires_at = policy.rules.redemption.hold_for.after(books.now, policy.company.time_zone)
    hold = Hold(
        id=uuid7(books.now),
        member_id=customer_id,
        points=points,
        captured=0,
        status=OPEN,
        reference=reference,
        created_by=created_by,
        created_at=books.now,
        expires_at=expires_at,
        resolved_at=None,
        redemption_id=None,
    )
    session.add(hold)
    shares = reserve(account, lots, points)
    for place, (lot, share) in enumerate(shares):
        books.change(lot)
        session.add(HoldLot(hold_id=hold.id, place=place, lot_id=uuid.UUID(lot.id), points=share))
    (id_,) = uuid7_texts(books.now, 1)
    _post(books, account, hold, id_, "hold", {"available": -points, "held": points}, policy)
    books.write()
    due.schedule(session, TIME_OUT, str(hold.id), expires_at)
    return hold


def capture(context: Context, hold_id: uuid.UUID, points: int | None = None, by: str | None = None) -> Hold:
    """Take a hold's points off a bill, all or part; what is not taken goes back to its lots.

    It is a redemption of its own from then on, and can be cancelled as one.

    Raises Conflict when the hold is resolved or its time is over, Invalid for more points than it holds.
    """
    hold = the_hold(context.session, hold_id)
    books, account = _lock(context, hold)
    _must_be_in_time(books, hold)
    taken = hold.points if points is None else points
    if taken > hold.points:
        raise Invalid("more than was set aside", {"points": [f"at most {hold.points}"]})
    policy = context.policies.in_force()
    redemption = new_redemption(books, account, taken, policy, by, hold_id=hold.id, reference=hold.reference)
    settle(context, books, account, hold, redemption, policy)
    context.session.add(redemption)
    books.write()
    return hold


def release(context: Context, hold_id: uuid.UUID) -> Hold:
    """Give all of a hold's points back. Raises Conflict when the hold is resolved."""
    hold = the_hold(context.session, hold_id)
    books, account = _lock(context, hold)
    _resolve(context, books, account, hold, None, RELEASED, context.policies.in_force())
    books.write()
    return hold


def time_out(context: Context, row: DueRow) -> None:
    """The hold's time is over: unless it was resolved, its points go back.

    The poller does many due rows in one transaction and keeps their locks, so it must not wait for an account: a
    batch that holds this one may be waiting for another that the poller has. A busy account is tried a second later.
    """
    session = context.session
    hold = session.get(Hold, uuid.UUID(row.key))
    if hold is None or hold.status != OPEN:
        return
    mine = select(Member.customer_id).where(Member.customer_id == hold.member_id)
    if session.scalar(mine.with_for_update(skip_locked=True)) is None:
        due.schedule(session, TIME_OUT, row.key, context.clock.now() + BUSY)
        return
    try:
        books, account = _lock(context, hold)
    except Conflict:
        return  # whoever had the account a moment ago resolved it
    _resolve(context, books, account, hold, None, TIMED_OUT, context.policies.in_force())
    books.write()


def the_hold(session: Session, hold_id: uuid.UUID) -> Hold:
    """A hold. Raises NotFound."""
    hold = session.get(Hold, hold_id)
    if hold is None:
        raise NotFound(f"no hold {hold_id}")
    return hold


def locked_for(books: Books, redemption: Redemption) -> Hold:
    """The open hold that a redemption names; its member's account is locked. Raises NotFound, Conflict."""
    hold = books.session.get(Hold, redemption.hold_id)
    if hold is None or hold.member_id != redemption.member_id:
        raise NotFound(f"the member has no hold {redemption.hold_id}")
    books.session.refresh(hold)
    _must_be_in_time(books, hold)
    return hold


def settle(
    context: Context, books: Books, account: Account, hold: Hold, redemption: Redemption, policy: Policy
) -> None:
    """End an open hold by what it was made for; the rest goes back. The caller writes the books."""
    _resolve(context, books, account, hold, redemption, CAPTURED, policy)


def _must_be_open(hold: Hold) -> None:
    if hold.status != OPEN:
        raise Conflict(f"the hold is {hold.status} already", status_of_hold=hold.status, captured=hold.captured)


def _must_be_in_time(books: Books, hold: Hold) -> None:
    _must_be_open(hold)
    if hold.expires_at <= books.now:
        raise Conflict(f"the hold's time was over at {hold.expires_at.isoformat()}", status_of_hold=TIMED_OUT)


def _lock(context: Context, hold: Hold) -> tuple[Books, Account]:
    """The member's account is locked first; only then is the hold's state looked at. Raises Conflict when it is over.

    A merge may have carried an open hold to another member while this one waited: then that account is locked.
    """
    books = Books(context.session)
    books.lock([str(hold.member_id)])
    context.session.refresh(hold)
    _must_be_open(hold)
    return books, books.lock([str(hold.member_id)])[str(hold.member_id)]


def _resolve(
    context: Context,
    books: Books,
    account: Account,
    hold: Hold,
    redemption: Redemption | None,
    status: str,
    policy: Policy,
) -> None:
    session = context.session
    places = session.scalars(select(HoldLot).where(HoldLot.hold_id == hold.id).order_by(HoldLot.place)).all()
    reserved = [Reserved(str(place.lot_id), place.points) for place in places]
    lots = {lot.id: lot for lot in books.lots([account.customer_id])}
    taken = redemption.points if redemption else 0
    spent, absorbed = resolve(account, lots, reserved, taken)
    for share in reserved:
        books.change(lots[share.lot_id])
    capture_id, release_id = uuid7_texts(books.now, 2)
    if redemption is not None:
        _post(books, account, hold, capture_id, "capture", {"held": -taken, "redeemed": taken}, policy)
        for lot, points in spent:
            books.use(lot.member_id, lot.id, capture_id, points)
        redemption.transaction_id, hold.redemption_id = uuid.UUID(capture_id), redemption.id
        announce_spent(books, account, redemption, f"capture:{hold.id}")
    if back := hold.points - taken:
        _post(books, account, hold, release_id, "hold_release", {"held": -back, "available": back}, policy, status)
        for lot, points in absorbed:
            books.use(lot.member_id, lot.id, release_id, points)
    catch_up(books, account, list(lots.values()), policy)  # what waited for this hold expires now
    hold.status, hold.captured, hold.resolved_at = status, taken, books.now
    if status != TIMED_OUT:
        due.cancel(session, TIME_OUT, str(hold.id))


def _post(
    books: Books,
    account: Account,
    hold: Hold,
    id_: str,
    kind: str,
    moved: dict[str, int],
    policy: Policy,
    reason: str | None = None,
) -> None:
    books.post(
        account, id_, kind, f"{kind}:{hold.id}", books.now, legs(moved), policyversion=policy.version,
        clause=policy.rules.redemption.clause, reference=hold.reference, reason=reason,
        detail=orjson.dumps({"hold": str(hold.id)}),
    )  # fmt: skip
