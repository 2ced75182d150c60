"""Templates."""

from __future__ import annotations

from alembic import op

revision = "no002"
down_revision = "no001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Saved versions of texts, append-only."""
    op.execute(
        """
        CREATE TABLE template_version (
            id uuid CONSTRAINT pk_template_version PRIMARY KEY,
            key text NOT NULL,
            channel text NOT NULL,
            locale text NOT NULL,
            version integer NOT NULL,
            event text,
            variables jsonb,
            subject text,
            text text NOT NULL,
            html text,
            note text,
            saved_by text NOT NULL,
            saved_at timestamptz NOT NULL,
            CONSTRAINT uq_template_version_key_channel_locale_version UNIQUE (key, channel, locale, version)
        )
        """
    )


def downgrade() -> None:
    """Back to the texts of the release."""
    op.execute("DROP TABLE template_version")
