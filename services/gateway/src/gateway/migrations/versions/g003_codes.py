"""One-time codes."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "g003_codes"
down_revision = "g002_console"
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "one_time_code",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("number_key", sa.LargeBinary, nullable=False),
        sa.Column("phone", sa.Text),
        sa.Column("code", sa.Text),
        sa.Column("code_hash", sa.Text, nullable=False),
        sa.Column("locale", sa.Text),
        sa.Column("customer_id", sa.Uuid),
        sa.Column("asked_at", _INSTANT, nullable=False, index=True),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("tries", sa.Integer, nullable=False),
        sa.Column("used_at", _INSTANT),
    )
    op.create_index("ix_one_time_code_number", "one_time_code", ["number_key", "asked_at"])


def downgrade() -> None:
    op.drop_table("one_time_code")
