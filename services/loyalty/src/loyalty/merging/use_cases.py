"""A customer turned out to be another one: their members become one, and everything of theirs with it.

Lots come along with their origin, dates and cost; open holds, growth at the instants it counts from, the better tier,
a tier granted by hand, and how often campaigns were profited of. The absorbed member stays as an empty account that
leads to the survivor. Both accounts are locked; whoever waited for the absorbed one finds it gone and reads the names
again.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.messaging.delivery import Reject
from chassis.runtime import Context
from loyalty.earning.use_cases import apply_waiting
from loyalty.fraud.use_cases import unblock
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, spread
from loyalty.ledger.statements import array, cursor
from loyalty.members.identities import lead_names, own_name
from loyalty.merging.carrying import Carried
from loyalty.merging.counts import carry_counts
from loyalty.merging.domain import MERGED, Joined
from loyalty.merging.grants import bring_grant
from loyalty.merging.tables import Merge, MergedHold, MergedLot
from loyalty.merging.tiers import keep_the_better_tier

_ACCOUNTS = """
    SELECT customer_id::text, merged_into::text, earns_blocked FROM member
    WHERE customer_id = ANY(%s::uuid[]) ORDER BY customer_id FOR UPDATE
"""
_EMPTY_ACCOUNT = """
    INSERT INTO member (customer_id, code, status, enrolled_at, tier) VALUES (%s, %s, 'merged', %s, %s)
    ON CONFLICT DO NOTHING
"""
# Who became part of the absorbed member before leads to the survivor as well.
_LEAD = """
    UPDATE member SET merged_into = :survivor, status = CASE WHEN customer_id = :absorbed THEN 'merged' ELSE status END,
        tier_review_at = CASE WHEN customer_id = :absorbed THEN NULL ELSE tier_review_at END
    WHERE customer_id = :absorbed OR merged_into = :absorbed
"""
_GROWTH = """
    SELECT effective_at, sum(growth_available)::bigint FROM transaction
    WHERE member_id = %s AND growth_available IS NOT NULL GROUP BY 1 HAVING sum(growth_available) <> 0 ORDER BY 1
"""
_HOLDS = "UPDATE hold SET member_id = :survivor WHERE member_id = :absorbed AND status = 'open' RETURNING id"


class NotYetAMember(Exception):
    """The merge was quicker than the registration: the retry ladder brings it again."""


def merge_members(context: Context, joined: Joined) -> None:
    """Make two members one. The same merge under another event id has no effect.

    Raises NotYetAMember while the survivor is unknown, Reject when the absorbed customer is part of a third one.
    """
    session = context.session
    if session.get(Merge, uuid.UUID(joined.merge_id)) is not None:
        return
    policy = context.policies.in_force()
    known = lock_accounts(session, (joined.survivor_id, joined.absorbed_id))
    survivor_id = _survivor(session, joined, known)
    if joined.absorbed_id not in known:
        first = policy.rules.tiers.tiers[0].name
        with cursor(session) as kept:
            kept.execute(_EMPTY_ACCOUNT, (joined.absorbed_id, joined.code, context.clock.now(), first))
    books = Books(session)
    books.lock((survivor_id, joined.absorbed_id))
    survivor, absorbed = books.accounts[survivor_id], books.accounts[joined.absorbed_id]
    lead_names(session, joined.absorbed_id, survivor_id)

    merge = Merge(
        id=uuid.UUID(joined.merge_id), survivor_id=uuid.UUID(survivor_id), absorbed_id=uuid.UUID(joined.absorbed_id),
        status=MERGED, merged_at=books.now, unmerged_at=None, points=0, growth=absorbed.growth,
        deficit=absorbed.deficit, approval_id=None, why=None,
    )  # fmt: skip
    session.add(merge)
    way = Carried(books, absorbed, survivor, "merge", f"merge:{joined.merge_id}", policy)
    lots = books.lots([joined.absorbed_id])
    session.add_all(MergedLot(merge_id=merge.id, lot_id=uuid.UUID(lot.id), points=lot.remaining) for lot in lots)
    moved = way.lots(lots)
    way.debt(absorbed.deficit, moved)
    merge.points = sum(moved.values())
    steps = growth_of(session, joined.absorbed_id)
    way.settle(moved, steps)
    books.write()
    pay_debts(books, survivor, way.in_id)
    session.execute(text(_LEAD), {"survivor": survivor_id, "absorbed": joined.absorbed_id})
    holds = session.scalars(text(_HOLDS), {"survivor": survivor_id, "absorbed": joined.absorbed_id})
    session.add_all(MergedHold(merge_id=merge.id, hold_id=hold_id) for hold_id in holds)
    keep_the_better_tier(books, survivor, absorbed, policy)
    books.write()
    bring_grant(books, merge, survivor, policy)
    carry_counts(session, merge)
    books.write()
    session.flush()
    if known.get(joined.absorbed_id, (None, False))[1] and not known[survivor_id][1]:
        unblock(context, [survivor_id])  # what was kept back for the absorbed customer's sake
    apply_waiting(context, [own_name(joined.absorbed_id)])


def _survivor(session: Session, joined: Joined, known: dict[str, tuple[str | None, bool]]) -> str:
    """Whose the points will be: the survivor, or whom the survivor itself became part of."""
    if joined.survivor_id not in known:
        raise NotYetAMember(f"customer {joined.survivor_id} is not enrolled yet")
    if known.get(joined.absorbed_id, (None, False))[0] is not None:
        raise Reject(f"customer {joined.absorbed_id} is part of customer {known[joined.absorbed_id][0]} already")
    further = known[joined.survivor_id][0]
    if further is None:
        return joined.survivor_id
    if further == joined.absorbed_id:
        raise Reject(f"customer {joined.survivor_id} is part of customer {joined.absorbed_id} already")
    known |= lock_accounts(session, (further,))
    return further


def lock_accounts(session: Session, customer_ids: Iterable[str]) -> dict[str, tuple[str | None, bool]]:
    """Lock account rows, empty ones too; customer id → (merged into, earns blocked)."""
    with cursor(session) as found:
        found.execute(_ACCOUNTS, (array(customer_ids),))
        return {row[0]: (row[1], row[2]) for row in found.fetchall()}


def growth_of(session: Session, customer_id: str) -> list[tuple[datetime, int]]:
    """A member's growth by the instant it counts from."""
    with cursor(session) as found:
        found.execute(_GROWTH, (customer_id,))
        return list(found.fetchall())


def pay_debts(books: Books, account: Account, transaction_id: str) -> None:
    """A debt is paid at once by what the member has now: who owes may not spend (decision 24)."""
    if not account.deficit:
        return
    usable = [lot for lot in books.lots([account.customer_id]) if not lot.lapsed(books.now)]
    for lot, share in spread(usable, account.deficit):
        lot.remaining -= share
        account.deficit -= share
        books.use(lot.member_id, lot.id, transaction_id, share)
        books.change(lot)
    books.touch(account)
