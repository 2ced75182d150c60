"""Two customers were not the same after all: their members part.

They are two again at once, and whatever happens from then on is each one's own. What came along goes back by the
exact inverse where nothing was spent across; where something was, a proposal goes before staff, who decide whether it
is to be made good by the rule in ``part``.
"""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from chassis.approvals.registry import Approval
from chassis.approvals.use_cases import propose
from chassis.errors import Conflict
from chassis.ids import uuid7_texts
from chassis.runtime import Context
from chassis.web.principal import system
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot, take_back
from loyalty.ledger.statements import array, cursor
from loyalty.merging.carrying import Carried
from loyalty.merging.counts import return_counts
from loyalty.merging.domain import MERGED, PROPOSED, UNMERGED, Entangled, Joined
from loyalty.merging.entanglement import entangled, growth_along
from loyalty.merging.grants import return_grant
from loyalty.merging.tables import Merge, MergedLot
from loyalty.merging.tiers import part_tiers
from loyalty.merging.use_cases import lock_accounts, pay_debts
from loyalty.tiers.retracing import PolicyAt

KIND, PERMISSION = "merge.part", "merges:part"
OPEN_FOR = timedelta(days=365)  # nobody is waiting at a counter for it

# Whoever became part of the restored member leads to it again.
_ALONE = text("""
    WITH RECURSIVE family AS (
        SELECT absorbed_id AS id FROM merge WHERE survivor_id = :restored AND status = 'merged'
        UNION SELECT m.absorbed_id FROM merge m JOIN family ON m.survivor_id = family.id AND m.status = 'merged'
    )
    UPDATE member SET merged_into = CASE WHEN customer_id = :restored THEN NULL ELSE CAST(:restored AS uuid) END
    WHERE customer_id = :restored OR customer_id IN (SELECT id FROM family)
""")
_HOLDS = text("""
    UPDATE hold SET member_id = :restored FROM merged_hold m
    WHERE m.merge_id = :merge AND m.hold_id = hold.id AND hold.status = 'open' AND hold.member_id = :survivor
""")
_REFILL = """
    UPDATE lot SET state = 'available', remaining = remaining + n.points
    FROM unnest(%s::uuid[], %s::bigint[]) AS n (id, points) WHERE lot.member_id = %s::uuid AND lot.id = n.id
"""


def stand_alone(session: Session, joined: Joined) -> bool:
    """The restored customer is a member again, before anything of theirs is read; False: there is nothing to part.

    An unmerge that overtook its merge is remembered, and the merge does nothing when it comes.
    """
    merge = session.get(Merge, uuid.UUID(joined.merge_id), with_for_update=True)
    if merge is None:
        now = session.info["clock"].now()
        session.add(
            Merge(
                id=uuid.UUID(joined.merge_id), survivor_id=uuid.UUID(joined.survivor_id),
                absorbed_id=uuid.UUID(joined.absorbed_id), status=UNMERGED, merged_at=now, unmerged_at=now,
                points=0, growth=0, deficit=0, approval_id=None, why=None,
            )
        )  # fmt: skip
        session.flush()
        return False
    if merge.status != MERGED:
        return False
    session.execute(_ALONE, {"restored": merge.absorbed_id})
    return True


def unmerge_members(context: Context, joined: Joined) -> None:
    """Part two members: at once where that is the exact inverse of their merge, else propose it to staff."""
    session = context.session
    merge = session.get_one(Merge, uuid.UUID(joined.merge_id))
    books, survivor, restored = _locked(session, merge)
    found = entangled(session, merge, survivor)
    if found.plain and survivor is not None:
        part(books, merge, survivor, restored, found, context.policies.in_force)
        return
    merge.status, merge.why = PROPOSED, "; ".join(found.reasons)
    content = {
        "merge": str(merge.id), "survivor": str(merge.survivor_id), "restored": str(merge.absorbed_id),
        "brought": merge.points, "growth": merge.growth, "made_good": found.made_good, "reasons": found.reasons,
    }  # fmt: skip
    by = system(context.runtime.service.name)
    merge.approval_id = propose(session, context.clock, by, PARTING, content, OPEN_FOR).id


def _carry_out(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """Staff agreed: part by the rule, as things stand now."""
    session = context.session
    merge = session.get_one(Merge, uuid.UUID(content["merge"]), with_for_update=True)
    books, survivor, restored = _locked(session, merge)
    if survivor is None:
        raise Conflict("the survivor is part of another member: undo that merge first")
    found = entangled(session, merge, survivor)
    if found.held:
        raise Conflict(f"an open hold sets {found.held} of these points aside: capture or release it first")
    part(books, merge, survivor, restored, found, context.policies.in_force)
    return {"merge": str(merge.id), "made_good": found.made_good, "balance": restored.balance}


PARTING = Approval(
    KIND,
    PERMISSION,
    _carry_out,
    lambda content: (
        f"part {content['restored']} from {content['survivor']}: {content['brought']} points came along;"
        f" {'; '.join(content['reasons'])}"
    ),
)


def part(
    books: Books, merge: Merge, survivor: Account, restored: Account, found: Entangled, policy_at: PolicyAt
) -> None:
    """Give back what came along. What was spent of it the survivor makes good, from its own points, else as a debt.

    Lots that were spent are filled again with their old dates. A debt that came along and was paid since counts
    against that; what the survivor bore beyond it stays with the survivor.
    """
    session, policy = books.session, policy_at(books.now)
    way = Carried(books, survivor, restored, "unmerge", f"unmerge:{merge.id}", policy)
    came = {str(lot_id) for lot_id in session.scalars(select(MergedLot.lot_id).where(MergedLot.merge_id == merge.id))}
    mine = books.lots([survivor.customer_id])
    moved = way.lots([lot for lot in mine if lot.id in came])
    way.debt(merge.deficit - found.owed, moved)
    way.settle(moved, growth_along(session, merge))
    books.write()
    if found.made_good:
        own = [lot for lot in mine if lot.id not in came]
        _make_good(books, way, own, found)
    pay_debts(books, restored, way.in_id)
    session.execute(_HOLDS, {"merge": merge.id, "restored": merge.absorbed_id, "survivor": merge.survivor_id})
    merge.status, merge.unmerged_at = UNMERGED, books.now
    books.write()
    return_counts(session, merge)
    return_grant(books, merge, survivor, restored, policy)
    books.write()
    part_tiers(books, survivor, restored, policy_at)
    books.write()
    session.flush()


def _make_good(books: Books, way: Carried, own: Sequence[OpenLot], found: Entangled) -> None:
    """The survivor pays from its own lots, soonest expiry first, and owes the rest; the spent lots are filled again."""
    due = found.made_good
    taken, _, _ = take_back(way.source, [], own, due, "unlimited")
    ids = uuid7_texts(books.now, 2)
    for each in taken:
        books.use(each.lot.member_id, each.lot.id, ids[0], each.points)
        books.change(each.lot)
    way.target.available += due
    refilled, rest = [], due
    for lot_id, points in sorted(found.spent.items()):
        share = min(points, rest)
        rest -= share
        if share:
            refilled.append((lot_id, share))
            books.use(way.target.customer_id, lot_id, ids[1], -share)
    with cursor(books.session) as filled:
        ids_of, points_of = array(lot for lot, _ in refilled), array(points for _, points in refilled)
        filled.execute(_REFILL, (ids_of, points_of, way.target.customer_id))
    for account, id_, points in ((way.source, ids[0], -due), (way.target, ids[1], due)):
        way.post(account, id_, {"available": points}, "made-good")
    books.write()


def _locked(session: Session, merge: Merge) -> tuple[Books, Account | None, Account]:
    """Both accounts, locked; no survivor where it became part of another member itself."""
    survivor_id, restored_id = str(merge.survivor_id), str(merge.absorbed_id)
    lock_accounts(session, (survivor_id, restored_id))
    books = Books(session)
    books.lock((survivor_id, restored_id))
    return books, books.accounts.get(survivor_id), books.accounts[restored_id]
