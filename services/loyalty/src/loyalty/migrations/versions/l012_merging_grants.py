"""A tier granted by hand and the counts of campaigns come along in a merge, and go back."""

from __future__ import annotations

from alembic import op

from loyalty.migrations.rights import append_only

revision = "l012"
down_revision = "l011"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE merged_grant (
    merge_id uuid CONSTRAINT pk_merged_grant PRIMARY KEY,
    granted_id bigint NOT NULL,
    brought_id bigint NOT NULL
);
CREATE TABLE merged_part (
    merge_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    times integer NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT pk_merged_part PRIMARY KEY (merge_id, campaign_id)
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    append_only("merged_grant", "merged_part")  # undoing a merge reads them


def downgrade() -> None:
    op.execute("DROP TABLE merged_part")
    op.execute("DROP TABLE merged_grant")
