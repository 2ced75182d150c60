"""Rounds, proposals, compensations and personal links."""

from __future__ import annotations

from alembic import op

revision = "co003"
down_revision = "co002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE complaint_round (
    complaint_id uuid NOT NULL,
    round integer NOT NULL,
    form text NOT NULL,
    level integer NOT NULL,
    opened_at timestamptz NOT NULL,
    cause text,
    cause_note text,
    responsible text[] NOT NULL DEFAULT '{}',
    investigated_by text,
    investigated_at timestamptz,
    handler text,
    handler_role text,
    resolved_by text,
    resolved_at timestamptz,
    answer text,
    attempts integer NOT NULL DEFAULT 0,
    last_attempt_at timestamptz,
    reached boolean NOT NULL DEFAULT false,
    satisfaction integer,
    comment text,
    answered_by text,
    answered_via text,
    answered_at timestamptz,
    because text,
    clause text,
    CONSTRAINT pk_complaint_round PRIMARY KEY (complaint_id, round),
    CONSTRAINT ck_complaint_round_counted CHECK (round >= 1 AND attempts >= 0),
    CONSTRAINT ck_complaint_round_answer_was_reached CHECK (satisfaction IS NULL OR reached)
);
CREATE UNIQUE INDEX uq_complaint_round_form ON complaint_round (form);
CREATE INDEX ix_complaint_round_resolved_at ON complaint_round (resolved_at) WHERE resolved_at IS NOT NULL;

CREATE TABLE proposal (
    id uuid CONSTRAINT pk_proposal PRIMARY KEY,
    complaint_id uuid NOT NULL,
    round integer NOT NULL,
    measures text NOT NULL,
    points bigint NOT NULL DEFAULT 0,
    amount numeric,
    currency text,
    value numeric NOT NULL DEFAULT 0,
    summed numeric NOT NULL DEFAULT 0,
    status text NOT NULL,
    may text[] NOT NULL DEFAULT '{}',
    approver text,
    because text NOT NULL,
    clause text NOT NULL,
    policyversion text,
    proposed_by text NOT NULL,
    proposed_at timestamptz NOT NULL,
    approved_by text,
    approved_at timestamptz,
    alone boolean NOT NULL DEFAULT false,
    CONSTRAINT ck_proposal_status CHECK (status IN ('needs_approval', 'open', 'approved', 'superseded', 'carried_out'))
);
CREATE INDEX ix_proposal_complaint_id ON proposal (complaint_id, proposed_at);
CREATE UNIQUE INDEX uq_proposal_one_in_force ON proposal (complaint_id)
    WHERE status IN ('needs_approval', 'open', 'approved');
CREATE INDEX ix_proposal_approver ON proposal (approver) WHERE status = 'needs_approval';

CREATE TABLE compensation (
    id uuid CONSTRAINT pk_compensation PRIMARY KEY,
    complaint_id uuid NOT NULL,
    round integer NOT NULL,
    proposal_id uuid CONSTRAINT uq_compensation_proposal_id UNIQUE,
    points bigint NOT NULL DEFAULT 0,
    amount numeric,
    currency text,
    value numeric NOT NULL,
    reason text,
    granted_by text NOT NULL,
    approved_by text,
    granted_at timestamptz NOT NULL,
    clause text NOT NULL,
    policyversion text,
    CONSTRAINT ck_compensation_points_or_money CHECK ((points > 0) <> (amount IS NOT NULL AND amount > 0))
);
CREATE INDEX ix_compensation_complaint_id ON compensation (complaint_id, granted_at);
CREATE INDEX ix_compensation_granted_at ON compensation (granted_at);
CREATE INDEX ix_complaint_approval_needed ON complaint (id) WHERE approval_needed;
CREATE INDEX ix_complaint_outcome ON complaint (outcome, id) WHERE outcome IS NOT NULL;

CREATE TABLE personal_link (
    id uuid CONSTRAINT pk_personal_link PRIMARY KEY,
    token_hash bytea NOT NULL CONSTRAINT uq_personal_link_token_hash UNIQUE,
    complaint_id uuid NOT NULL,
    round integer NOT NULL,
    purpose text NOT NULL,
    issued_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    used_at timestamptz,
    CONSTRAINT ck_personal_link_purpose CHECK (purpose IN ('follow', 'answer'))
);
CREATE INDEX ix_personal_link_complaint_id ON personal_link (complaint_id);
CREATE INDEX ix_personal_link_expires_at ON personal_link (expires_at);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(TABLES)


def downgrade() -> None:
    """Everything that was answered is lost."""
    op.execute("DROP INDEX ix_complaint_approval_needed, ix_complaint_outcome")
    op.execute("DROP TABLE personal_link, compensation, proposal, complaint_round")
