"""Rebates of dealers: one row per dealer and period, and the periods in which nobody is left."""

from __future__ import annotations

from alembic import op

from loyalty.migrations.rights import append_only

revision = "l010"
down_revision = "l009"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE rebate (
    member_id uuid NOT NULL,
    period text NOT NULL,
    since timestamptz NOT NULL,
    until timestamptz NOT NULL,
    level text NOT NULL,
    bought bigint NOT NULL,
    unit text NOT NULL,
    points bigint NOT NULL,
    breakdown jsonb NOT NULL,
    transaction_id uuid,
    settled_at timestamptz NOT NULL,
    clause text NOT NULL,
    policyversion text NOT NULL,
    CONSTRAINT pk_rebate PRIMARY KEY (member_id, period)
);
CREATE INDEX ix_rebate_period ON rebate (period, member_id);

CREATE TABLE rebate_period (
    period text CONSTRAINT pk_rebate_period PRIMARY KEY,
    every text NOT NULL,
    until timestamptz NOT NULL,
    closed_at timestamptz NOT NULL
);
"""


def upgrade() -> None:
    op.execute(TABLES)
    append_only("rebate", "rebate_period")  # what was settled stays as it was


def downgrade() -> None:
    op.execute("DROP TABLE rebate_period")
    op.execute("DROP TABLE rebate")
