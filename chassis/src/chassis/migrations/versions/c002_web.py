"""The HTTP edge's tables: idempotency keys, approvals, the audit trail and its seals, the copy of staff and units."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "c002_web"
down_revision = "c001_messaging"
branch_labels = None
depends_on = None

_AT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "idempotency",
        sa.Column("principal", sa.Text, primary_key=True),
        sa.Column("path", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("request_hash", sa.LargeBinary, nullable=False),
        sa.Column("status", sa.SmallInteger, nullable=False),
        sa.Column("headers", JSONB, nullable=False),
        sa.Column("body", sa.LargeBinary),
        sa.Column("created_at", _AT, nullable=False),
        sa.Column("expires_at", _AT),
        schema="chassis",
    )
    op.create_index(
        "ix_idempotency_expires_at",
        "idempotency",
        ["expires_at"],
        schema="chassis",
        postgresql_where=sa.text("expires_at IS NOT NULL"),
    )
    op.create_table(
        "approval",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("permission", sa.Text, nullable=False),
        sa.Column("content", JSONB, nullable=False),
        sa.Column("content_hash", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("proposed_by", sa.Text, nullable=False),
        sa.Column("proposed_by_name", sa.Text, nullable=False),
        sa.Column("proposed_at", _AT, nullable=False),
        sa.Column("expires_at", _AT, nullable=False),
        sa.Column("decided_by", sa.Text),
        sa.Column("decided_by_name", sa.Text),
        sa.Column("decided_at", _AT),
        sa.Column("note", sa.Text),
        sa.Column("alone", sa.Boolean, nullable=False, server_default=sa.false()),
        sa.Column("result", JSONB),
        sa.CheckConstraint("status IN ('proposed', 'approved', 'rejected', 'expired')", name="ck_approval_status"),
        schema="chassis",
    )
    op.create_index(
        "ix_approval_open",
        "approval",
        ["expires_at"],
        schema="chassis",
        postgresql_where=sa.text("status = 'proposed'"),
    )
    op.create_index("ix_approval_kind", "approval", ["kind", "id"], schema="chassis")
    _create_audit()
    _create_people()


def _create_audit() -> None:
    op.create_table(
        "audit_seal",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("rows", sa.Integer, nullable=False),
        sa.Column("digest", sa.LargeBinary, nullable=False),
        sa.Column("chain", sa.LargeBinary, nullable=False),
        sa.Column("sealed_at", _AT, nullable=False),
        schema="chassis",
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.BigInteger, sa.Identity(always=True), primary_key=True),
        sa.Column("at", _AT, nullable=False),
        sa.Column("principal", sa.Text, nullable=False),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("action", sa.Text, nullable=False),
        sa.Column("method", sa.Text),
        sa.Column("path", sa.Text),
        sa.Column("status", sa.Integer),
        sa.Column("subject", sa.Text),
        sa.Column("request_id", sa.Text),
        sa.Column("details", JSONB, nullable=False),
        sa.Column("seal", sa.BigInteger, sa.ForeignKey("chassis.audit_seal.id")),
        schema="chassis",
    )
    op.create_index("ix_audit_unsealed", "audit", ["id"], schema="chassis", postgresql_where=sa.text("seal IS NULL"))
    op.create_index("ix_audit_seal", "audit", ["seal"], schema="chassis")
    op.create_index("ix_audit_principal", "audit", ["principal", "id"], schema="chassis")
    op.create_index("ix_audit_subject", "audit", ["subject", "id"], schema="chassis")
    op.create_index("ix_audit_at", "audit", ["at"], schema="chassis")
    # The service's own role writes here, so the seals are the proof; this stops the honest mistake.
    op.execute(
        """
        CREATE FUNCTION chassis.audit_is_append_only() RETURNS trigger LANGUAGE plpgsql AS $$
        BEGIN
            IF TG_OP = 'UPDATE' AND OLD.seal IS NULL AND NEW.seal IS NOT NULL
               AND to_jsonb(OLD) - 'seal' = to_jsonb(NEW) - 'seal' THEN
                RETURN NEW;
            END IF;
            RAISE EXCEPTION 'audit rows are neither changed nor removed';
        END $$
        """
    )
    op.execute(
        "CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON chassis.audit"
        " FOR EACH ROW EXECUTE FUNCTION chassis.audit_is_append_only()"
    )


def _create_people() -> None:
    op.create_table(
        "staff",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("username", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("unit_path", sa.Text, nullable=False),
        sa.Column("superior", sa.Text),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("updated_at", _AT, nullable=False),
        schema="chassis",
    )
    op.create_index("ix_staff_roles", "staff", ["roles"], schema="chassis", postgresql_using="gin")
    op.create_index("ix_staff_username", "staff", ["username"], schema="chassis")
    op.create_table(
        "unit",
        sa.Column("id", sa.Text, primary_key=True),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("path", sa.Text, nullable=False),
        sa.Column("version", sa.BigInteger, nullable=False),
        sa.Column("state", JSONB, nullable=False),
        sa.Column("updated_at", _AT, nullable=False),
        schema="chassis",
    )
    op.create_index("ix_unit_path", "unit", ["path"], schema="chassis")
    op.create_index("ix_unit_code", "unit", ["code"], schema="chassis")


def downgrade() -> None:
    for table in ("unit", "staff", "audit", "audit_seal", "approval", "idempotency"):
        op.drop_table(table, schema="chassis")
    op.execute("DROP FUNCTION chassis.audit_is_append_only()")
