"""Tiers that a refund told late left without a step of the history are looked at by the next review."""

from __future__ import annotations

from alembic import op

revision = "l013"
down_revision = "l012"
branch_labels = None
depends_on = None

# A history whose last step, leaving out what was undone, names another tier than the account row, or that is empty.
DISAGREE = """
UPDATE member m SET tier_review_at = 'epoch'
WHERE m.merged_into IS NULL AND m.tier_since IS NOT NULL AND m.tier IS DISTINCT FROM (
    SELECT c.tier FROM tier_change c
    WHERE c.member_id = m.customer_id AND c.kind <> 'beneath' AND NOT EXISTS (
        SELECT FROM tier_change o WHERE o.member_id = c.member_id AND (
            (o.revokes = c.id AND o.since <= c.since)
            OR (o.id = c.revokes AND (o.kind = 'beneath' OR o.since >= c.since))))
    ORDER BY c.since DESC, c.id DESC LIMIT 1
)
"""


def upgrade() -> None:
    op.execute(DISAGREE)


def downgrade() -> None:
    """A review that finds nothing to do changes nothing."""
