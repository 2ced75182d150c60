"""Due rows, schedules, number series, jobs and published calendar years."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects.postgresql import JSONB

revision = "c003_timing"
down_revision = "c002_web"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)


def upgrade() -> None:
    op.create_table(
        "due",
        sa.Column("kind", sa.Text, primary_key=True),
        sa.Column("key", sa.Text, primary_key=True),
        sa.Column("due_at", INSTANT, nullable=False),
        sa.Column("try_at", INSTANT, nullable=False),
        sa.Column("payload", JSONB, nullable=False, server_default="{}"),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        schema="chassis",
    )
    op.create_index("ix_due_try_at", "due", ["try_at"], schema="chassis")
    op.create_index("ix_due_failing", "due", ["kind"], schema="chassis", postgresql_where=sa.text("attempts > 0"))
    op.create_table(
        "schedule",
        sa.Column("name", sa.Text, primary_key=True),
        sa.Column("cron", sa.Text, nullable=False),
        sa.Column("zone", sa.Text, nullable=False),
        sa.Column("next_at", INSTANT, nullable=False),
        sa.Column("try_at", INSTANT, nullable=False),
        sa.Column("started_at", INSTANT),
        sa.Column("finished_at", INSTANT),
        sa.Column("attempts", sa.Integer, nullable=False, server_default="0"),
        sa.Column("error", sa.Text),
        schema="chassis",
    )
    op.create_table(
        "number_series",
        sa.Column("series", sa.Text, primary_key=True),
        sa.Column("next", sa.BigInteger, nullable=False),
        schema="chassis",
    )
    op.create_table(
        "job",
        sa.Column("id", sa.Uuid, primary_key=True),
        sa.Column("kind", sa.Text, nullable=False),
        sa.Column("status", sa.Text, nullable=False),
        sa.Column("params", JSONB, nullable=False, server_default="{}"),
        sa.Column("done", sa.BigInteger, nullable=False, server_default="0"),
        sa.Column("total", sa.BigInteger),
        sa.Column("result", JSONB),
        sa.Column("error", sa.Text),
        sa.Column("started_by", sa.Text),
        sa.Column("created_at", INSTANT, nullable=False),
        sa.Column("finished_at", INSTANT),
        sa.CheckConstraint("status IN ('queued', 'running', 'done', 'failed')", name="ck_job_status"),
        schema="chassis",
    )
    op.create_index("ix_job_created_at", "job", ["created_at"], schema="chassis")
    op.create_table(
        "job_error",
        sa.Column("job_id", sa.Uuid, sa.ForeignKey("chassis.job.id", ondelete="CASCADE"), primary_key=True),
        sa.Column("position", sa.BigInteger, primary_key=True),
        sa.Column("message", sa.Text, nullable=False),
        schema="chassis",
    )
    op.create_table(
        "calendar_year",
        sa.Column("year", sa.Integer, primary_key=True),
        sa.Column("hash", sa.Text, primary_key=True),
        sa.Column("holidays", JSONB, nullable=False),
        sa.Column("workdays", JSONB, nullable=False),
        sa.Column("imported_at", INSTANT, nullable=False),
        sa.Column("imported_by", sa.Text),
        schema="chassis",
    )


def downgrade() -> None:
    for table in ("calendar_year", "job_error", "job", "number_series", "schedule", "due"):
        op.drop_table(table, schema="chassis")
