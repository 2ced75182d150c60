"""What members were told of points that are about to lapse: once for each of the pack's notices."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "l008"
down_revision = "l007"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "expiry_notice",
        sa.Column("member_id", sa.Uuid, nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ahead", sa.Integer, nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("member_id", "expires_at", "ahead", name="pk_expiry_notice"),
    )
    op.create_index("ix_expiry_notice_told_at", "expiry_notice", ["told_at", "member_id"])


def downgrade() -> None:
    op.drop_table("expiry_notice")
