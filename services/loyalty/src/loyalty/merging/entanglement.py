"""What happened to the points of a merge since: read from the books, use by use."""

from __future__ import annotations

from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from loyalty.ledger.domain import Account
from loyalty.merging.domain import Entangled
from loyalty.merging.tables import Merge

# Whoever became part of the absorbed member before: their purchases are its own.
_FAMILY = """
    WITH RECURSIVE family AS (
        SELECT CAST(:absorbed AS uuid) AS id
        UNION SELECT m.absorbed_id FROM merge m JOIN family ON m.survivor_id = family.id AND m.status = 'merged'
    )
"""
# A use that would have come about without the merge is no entanglement: the lot's own end, the refund of its own
# purchase, a review that voided it, and the capture of a hold that came along.
_SPENT = text("""
    SELECT u.lot_id::text, sum(u.points)::bigint
    FROM merged_lot c
    JOIN lot ON lot.member_id = :survivor AND lot.id = c.lot_id
    JOIN lot_use u ON u.member_id = :survivor AND u.lot_id = c.lot_id
    JOIN transaction t ON t.member_id = u.member_id AND t.id = u.transaction_id AND t.recorded_at >= :since
    WHERE c.merge_id = :merge
      AND t.kind NOT IN ('expiry', 'void', 'unmerge')
      AND NOT (t.kind = 'merge' AND (t.reference <> :name OR u.points < 0))
      AND NOT (t.kind = 'refund' AND EXISTS (
          SELECT FROM business_key k WHERE k.key = t.reference AND k.transaction_id = lot.transaction_id))
      AND NOT EXISTS (
          SELECT FROM merged_hold h WHERE h.merge_id = :merge AND h.hold_id::text = t.detail->>'hold')
    GROUP BY 1 HAVING sum(u.points) > 0
""")
_BORNE = text(
    _FAMILY  # noqa: S608 - constants of this module
    + """
    SELECT coalesce(sum(t.points_issued - coalesce((
        SELECT sum(u.points) FROM lot_use u
        JOIN merged_lot c ON c.merge_id = :merge AND c.lot_id = u.lot_id
        WHERE u.member_id = t.member_id AND u.transaction_id = t.id), 0)), 0)::bigint
    FROM transaction t
    JOIN business_key k ON k.key = t.reference AND k.member_id IN (SELECT id FROM family)
    WHERE t.member_id = :survivor AND t.kind = 'refund' AND t.recorded_at >= :since
"""
)
_HELD = text("""
    SELECT coalesce(sum(hl.points), 0)::bigint FROM hold h JOIN hold_lot hl ON hl.hold_id = h.id
    JOIN merged_lot c ON c.merge_id = :merge AND c.lot_id = hl.lot_id
    WHERE h.member_id = :survivor AND h.status = 'open'
      AND NOT EXISTS (SELECT FROM merged_hold m WHERE m.merge_id = :merge AND m.hold_id = h.id)
""")
_GROWTH = text(
    _FAMILY  # noqa: S608 - constants of this module
    + """
    SELECT t.effective_at, sum(t.growth_available)::bigint FROM transaction t
    WHERE t.member_id = :survivor AND t.growth_available IS NOT NULL AND t.recorded_at >= :since AND (
        (t.kind = 'merge' AND t.reference = :name)
        OR (t.kind IN ('refund', 'void') AND EXISTS (
            SELECT FROM business_key k WHERE k.key = t.reference AND k.member_id IN (SELECT id FROM family))))
    GROUP BY 1 HAVING sum(t.growth_available) <> 0 ORDER BY 1
"""
)


def entangled(session: Session, merge: Merge, survivor: Account | None) -> Entangled:
    """What the two have in common by now; ``survivor`` None: it became part of another member itself."""
    if survivor is None:
        return Entangled({}, moved_on=True)
    asked = _asked(merge)
    spent = {lot_id: int(points) for lot_id, points in session.execute(_SPENT, asked)}
    return Entangled(
        spent,
        owed=merge.deficit - min(merge.deficit, survivor.deficit),
        borne=max(int(session.scalar(_BORNE, asked) or 0), 0),
        held=int(session.scalar(_HELD, asked) or 0),
    )


def growth_along(session: Session, merge: Merge) -> list[tuple[Any, int]]:
    """The growth that came along, less what refunds and reviews of the absorbed member's purchases took of it."""
    return [(at, int(amount)) for at, amount in session.execute(_GROWTH, _asked(merge))]


def _asked(merge: Merge) -> dict[str, Any]:
    return {
        "merge": merge.id,
        "survivor": merge.survivor_id,
        "absorbed": merge.absorbed_id,
        "since": merge.merged_at,
        "name": f"merge:{merge.id}",
    }
