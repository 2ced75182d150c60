"""A table for letters, and one for what handlers did."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "s001_letters"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "letter",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("text", sa.Text),
        sa.Column("phone", sa.Text),
    )
    op.create_table(
        "effect", sa.Column("id", sa.BigInteger, sa.Identity(), primary_key=True), sa.Column("key", sa.Text)
    )


def downgrade() -> None:
    op.drop_table("effect")
    op.drop_table("letter")
