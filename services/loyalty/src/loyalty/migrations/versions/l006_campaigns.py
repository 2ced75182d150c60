"""Campaigns and who took part in them, what a segment asks of a member, and the queue of purchases under review.

Members from before have no profile until their customer's next event: until then they are in no segment that asks for
more than the tier.
"""

from __future__ import annotations

from alembic import op

revision = "l006"
down_revision = "l005"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE campaign (
    id uuid CONSTRAINT pk_campaign PRIMARY KEY,
    code text NOT NULL CONSTRAINT uq_campaign_code UNIQUE,
    name text NOT NULL,
    status text NOT NULL DEFAULT 'draft',
    starts_at timestamptz NOT NULL,
    ends_at timestamptz NOT NULL,
    runs_from timestamptz,
    runs_until timestamptz,
    multiplier numeric,
    bonus bigint,
    conditions jsonb NOT NULL,
    control_group numeric NOT NULL,
    times integer,
    budget bigint,
    granted bigint NOT NULL DEFAULT 0,
    clause text NOT NULL,
    policyversion text NOT NULL,
    version bigint NOT NULL DEFAULT 1,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    started_by text,
    stopped_by text,
    stopped_because text,
    CONSTRAINT ck_campaign_multiplier_or_bonus CHECK ((multiplier IS NULL) <> (bonus IS NULL)),
    CONSTRAINT ck_campaign_within_its_budget CHECK (granted >= 0 AND (budget IS NULL OR granted <= budget)),
    CONSTRAINT ck_campaign_has_a_term CHECK (starts_at < ends_at)
) WITH (fillfactor = 60);
CREATE INDEX ix_campaign_runs_until ON campaign (runs_until) WHERE runs_from IS NOT NULL;

CREATE TABLE campaign_member (
    campaign_id uuid NOT NULL,
    member_id uuid NOT NULL,
    arm text NOT NULL,
    listed boolean NOT NULL,
    times integer NOT NULL DEFAULT 0,
    points bigint NOT NULL DEFAULT 0,
    CONSTRAINT pk_campaign_member PRIMARY KEY (campaign_id, member_id)
);

CREATE TABLE member_profile (
    customer_id uuid CONSTRAINT pk_member_profile PRIMARY KEY,
    grade text,
    classes jsonb NOT NULL,
    tags text[] NOT NULL,
    flags text[] NOT NULL,
    blacklisted boolean NOT NULL
);

CREATE TABLE fraud_review (
    id uuid CONSTRAINT pk_fraud_review PRIMARY KEY,
    member_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    purchase_id text NOT NULL,
    cause text NOT NULL,
    detail text NOT NULL,
    points bigint NOT NULL,
    status text NOT NULL DEFAULT 'open',
    opened_at timestamptz NOT NULL,
    decided_at timestamptz,
    decided_by text,
    reason text,
    clause text NOT NULL,
    policyversion text NOT NULL,
    CONSTRAINT uq_fraud_review_transaction_id UNIQUE (transaction_id)
);
CREATE INDEX ix_fraud_review_status ON fraud_review (status, id);
CREATE INDEX ix_fraud_review_member_id ON fraud_review (member_id, id);

CREATE INDEX ix_lot_campaign ON lot (campaign) WHERE campaign IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP INDEX ix_lot_campaign")
    for table in ("fraud_review", "member_profile", "campaign_member", "campaign"):
        op.execute(f"DROP TABLE {table}")
