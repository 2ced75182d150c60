"""The archive keeps complaints, and from whom each must be hidden (decision 13)."""

from __future__ import annotations

from alembic import op

revision = "s002_archive_guard"
down_revision = "s001_core"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        """
        ALTER TABLE archive_entry
            ADD COLUMN hidden_alone text[] NOT NULL DEFAULT '{}',
            ADD COLUMN hidden_with_subordinates text[] NOT NULL DEFAULT '{}'
        """
    )
    op.execute(
        """
        CREATE INDEX ix_archive_entry_complaint ON archive_entry ((data ->> 'complaint_id'))
        WHERE data ->> 'complaint_id' IS NOT NULL
        """
    )


def downgrade() -> None:
    op.execute("DROP INDEX ix_archive_entry_complaint")
    op.execute("ALTER TABLE archive_entry DROP COLUMN hidden_alone, DROP COLUMN hidden_with_subordinates")
