"""Units, staff, sign-ins, signing keys, API keys."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

revision = "g001_people_and_keys"
down_revision = None
branch_labels = None
depends_on = None

_INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "unit",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("code", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("parent_id", sa.Uuid, sa.ForeignKey("unit.id"), index=True),
        sa.Column("path", sa.Text, nullable=False, unique=True),
        sa.Column("head_id", sa.Uuid),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
    )
    op.create_table(
        "staff",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("username", sa.Text, nullable=False, unique=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("unit_id", sa.Uuid, sa.ForeignKey("unit.id"), nullable=False, index=True),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("superior_id", sa.Uuid, sa.ForeignKey("staff.id"), index=True),
        sa.Column("enabled", sa.Boolean, nullable=False),
        sa.Column("absent_from", _INSTANT),
        sa.Column("absent_until", _INSTANT),
        sa.Column("deputy_id", sa.Uuid, sa.ForeignKey("staff.id")),
        sa.Column("password_hash", sa.Text),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("updated_at", _INSTANT, nullable=False),
    )
    op.create_foreign_key(op.f("fk_unit_head_id_staff"), "unit", "staff", ["head_id"], ["id"])
    op.create_table(
        "signing_key",
        sa.Column("kid", sa.Text, primary_key=True),
        sa.Column("public", JSONB, nullable=False),
        sa.Column("private", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("active_from", _INSTANT, nullable=False),
        sa.Column("withdrawn_at", _INSTANT),
    )
    op.create_table(
        "sign_in_family",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("staff_id", sa.Uuid, sa.ForeignKey("staff.id"), nullable=False, index=True),
        sa.Column("signed_in_at", _INSTANT, nullable=False),
        sa.Column("ends_at", _INSTANT, nullable=False, index=True),
        sa.Column("revoked_at", _INSTANT),
        sa.Column("revoked_because", sa.Text),
    )
    op.create_table(
        "refresh_token",
        sa.Column("hash", sa.LargeBinary, primary_key=True),
        sa.Column(
            "family_id",
            sa.Uuid,
            sa.ForeignKey("sign_in_family.id", ondelete="CASCADE"),
            nullable=False,
            index=True,
        ),
        sa.Column("issued_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("used_at", _INSTANT),
    )
    op.create_table(
        "failed_sign_ins",
        sa.Column("username_hash", sa.LargeBinary, primary_key=True),
        sa.Column("failures", sa.Integer, nullable=False),
        sa.Column("last_at", _INSTANT, nullable=False, index=True),
        sa.Column("locked_until", _INSTANT),
    )
    op.create_table(
        "api_key",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("name", sa.Text, nullable=False),
        sa.Column("hint", sa.Text, nullable=False),
        sa.Column("hash", sa.LargeBinary, nullable=False, unique=True),
        sa.Column("roles", ARRAY(sa.Text), nullable=False),
        sa.Column("sources", ARRAY(sa.Text), nullable=False),
        sa.Column("unit_id", sa.Uuid, sa.ForeignKey("unit.id"), nullable=False),
        sa.Column("created_by", sa.Text, nullable=False),
        sa.Column("created_at", _INSTANT, nullable=False),
        sa.Column("expires_at", _INSTANT, nullable=False),
        sa.Column("revoked_at", _INSTANT),
    )


def downgrade() -> None:
    for table in ("api_key", "failed_sign_ins", "refresh_token", "sign_in_family", "signing_key"):
        op.drop_table(table)
    op.drop_constraint(op.f("fk_unit_head_id_staff"), "unit")
    op.drop_table("staff")
    op.drop_table("unit")
