"""A review whose voiding waits for a second person knows its proposal."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "l011"
down_revision = "l010"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("fraud_review", sa.Column("approval_id", sa.Uuid, nullable=True))


def downgrade() -> None:
    op.drop_column("fraud_review", "approval_id")
