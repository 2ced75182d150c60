"""Policy versions and their activations, immutable."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "c004_policies"
down_revision = "c003_timing"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TABLES = ("policy_version", "policy_activation")


def upgrade() -> None:
    op.create_table(
        "policy_version",
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("pack", sa.Text, nullable=False),
        sa.Column("version", sa.Text, nullable=False),
        sa.Column("documents", JSONB, nullable=False),
        sa.Column("author", sa.Text, nullable=False),
        sa.Column("staged_at", INSTANT, nullable=False),
        schema="chassis",
    )
    op.create_index("ix_policy_version_staged_at_hash", "policy_version", ["staged_at", "hash"], schema="chassis")
    op.create_table(
        "policy_activation",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("hash", sa.Text, sa.ForeignKey("chassis.policy_version.hash"), nullable=False),
        sa.Column("effective_from", INSTANT, nullable=False),
        sa.Column("activated_at", INSTANT, nullable=False),
        sa.Column("activated_by", sa.Text, nullable=False),
        sa.Column("approved_by", sa.Text),
        sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),
        schema="chassis",
    )
    op.create_index(
        "ix_policy_activation_effective_from_id", "policy_activation", ["effective_from", "id"], schema="chassis"
    )
    op.execute(
        """
        CREATE FUNCTION chassis.policy_is_immutable() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            RAISE EXCEPTION 'policy versions and activations are never changed: activate another version';
        END $$
        """
    )
    for table in TABLES:
        op.execute(
            f"CREATE TRIGGER immutable BEFORE UPDATE OR DELETE OR TRUNCATE ON chassis.{table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION chassis.policy_is_immutable()"
        )


def downgrade() -> None:
    for table in reversed(TABLES):
        op.drop_table(table, schema="chassis")
    op.execute("DROP FUNCTION chassis.policy_is_immutable()")
