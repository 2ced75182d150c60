"""Clocks."""

from __future__ import annotations

from alembic import op

revision = "co002"
down_revision = "co001"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE clock (
    id uuid CONSTRAINT pk_clock PRIMARY KEY,
    complaint_id uuid NOT NULL CONSTRAINT fk_clock_complaint_id_complaint REFERENCES complaint ON DELETE CASCADE,
    round integer NOT NULL,
    level integer NOT NULL,
    kind text NOT NULL,
    sequence integer NOT NULL,
    status text NOT NULL CONSTRAINT ck_clock_status CHECK (status IN ('running', 'paused', 'met', 'missed', 'stopped')),
    started_with text NOT NULL,
    started_at timestamptz NOT NULL,
    within text,
    warn_share numeric(5, 4) NOT NULL,
    due_at timestamptz NOT NULL,
    warn_at timestamptz NOT NULL,
    budget_seconds double precision NOT NULL,
    pauses jsonb NOT NULL DEFAULT '[]',
    paused_since timestamptz,
    explanation text NOT NULL,
    provisional boolean NOT NULL,
    calendar text NOT NULL,
    escalates boolean NOT NULL,
    warned_at timestamptz,
    breached_at timestamptz,
    escalate_at timestamptz,
    escalated_at timestamptz,
    met_at timestamptz,
    ended_at timestamptz,
    late_seconds integer NOT NULL DEFAULT 0,
    promise_reason text,
    promised_by text,
    policyversion text NOT NULL,
    clause text NOT NULL,
    CONSTRAINT uq_clock_once UNIQUE (complaint_id, round, kind, sequence)
);
CREATE INDEX ix_clock_provisional ON clock (calendar) WHERE provisional AND ended_at IS NULL;
"""


def upgrade() -> None:
    """The table and what finds provisional clocks; those of one case are found by the unique index."""
    op.execute(TABLE)


def downgrade() -> None:
    """Without clocks."""
    op.execute("DROP TABLE clock")
