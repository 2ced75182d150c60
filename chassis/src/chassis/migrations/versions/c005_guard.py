"""Dead letters of hidden matters are hidden as well (decision 13)."""

from __future__ import annotations

from alembic import op

revision = "c005_guard"
down_revision = "c004_policies"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE chassis.dead_letter
            ADD COLUMN hidden_alone text[] NOT NULL DEFAULT '{}',
            ADD COLUMN hidden_with_subordinates text[] NOT NULL DEFAULT '{}'
        """
    )


def downgrade() -> None:
    op.execute("ALTER TABLE chassis.dead_letter DROP COLUMN hidden_alone, DROP COLUMN hidden_with_subordinates")
