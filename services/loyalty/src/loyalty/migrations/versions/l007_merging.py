"""Which member became part of which, and what came along: lots and holds.

``member.merged_into`` leads every later event to the survivor; null for whoever stands alone. The rows of ``merge``
change (a merge may be undone), what it moved is in the books, which do not.
"""

from __future__ import annotations

from alembic import op

revision = "l007"
down_revision = "l006"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE member ADD COLUMN merged_into uuid;
CREATE INDEX ix_member_merged_into ON member (merged_into) WHERE merged_into IS NOT NULL;

CREATE TABLE merge (
    id uuid CONSTRAINT pk_merge PRIMARY KEY,
    survivor_id uuid NOT NULL,
    absorbed_id uuid NOT NULL,
    status text NOT NULL,
    merged_at timestamptz NOT NULL,
    unmerged_at timestamptz,
    points bigint NOT NULL DEFAULT 0,
    growth bigint NOT NULL DEFAULT 0,
    deficit bigint NOT NULL DEFAULT 0,
    approval_id uuid,
    why text
);
CREATE INDEX ix_merge_survivor_id ON merge (survivor_id);
CREATE INDEX ix_merge_absorbed_id ON merge (absorbed_id);

CREATE TABLE merged_lot (
    merge_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT pk_merged_lot PRIMARY KEY (merge_id, lot_id)
);

CREATE TABLE merged_hold (
    merge_id uuid NOT NULL,
    hold_id uuid NOT NULL,
    CONSTRAINT pk_merged_hold PRIMARY KEY (merge_id, hold_id)
);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    for table in ("merged_hold", "merged_lot", "merge"):
        op.execute(f"DROP TABLE {table}")
    op.execute("ALTER TABLE member DROP COLUMN merged_into")
