"""Tiers granted by hand, what was told of a tier at risk, reviews with their diff, and the use of rights.

A grant is a step of ``tier_change`` like any other; ``tier_granted_until`` on the member says that one is among them.
"""

from __future__ import annotations

from alembic import op

revision = "l005"
down_revision = "l004"
branch_labels = None
depends_on = None

TABLES = """
ALTER TABLE member ADD COLUMN tier_granted_until timestamptz;
ALTER TABLE tier_change ADD COLUMN reason text;
ALTER TABLE tier_change ADD COLUMN granted_by text;
ALTER TABLE tier_change ADD COLUMN approved_by text;

CREATE TABLE tier_notice (
    member_id uuid NOT NULL,
    ends_at timestamptz NOT NULL,
    tier text NOT NULL,
    missing bigint NOT NULL,
    told_at timestamptz NOT NULL,
    CONSTRAINT pk_tier_notice PRIMARY KEY (member_id, ends_at)
);

CREATE TABLE tier_review (
    id uuid CONSTRAINT pk_tier_review PRIMARY KEY,
    as_of timestamptz NOT NULL,
    dry_run boolean NOT NULL,
    started_by text NOT NULL,
    created_at timestamptz NOT NULL,
    policyversion text NOT NULL,
    clause text NOT NULL,
    counts jsonb NOT NULL
);

CREATE TABLE tier_review_line (
    review_id uuid NOT NULL CONSTRAINT fk_tier_review_line_review_id_tier_review REFERENCES tier_review,
    member_id uuid NOT NULL,
    change text NOT NULL,
    previous text NOT NULL,
    tier text NOT NULL,
    growth bigint NOT NULL,
    missing bigint NOT NULL,
    falls_at timestamptz,
    CONSTRAINT pk_tier_review_line PRIMARY KEY (review_id, member_id)
);

CREATE TABLE benefit_use (
    id uuid CONSTRAINT pk_benefit_use PRIMARY KEY,
    member_id uuid NOT NULL,
    benefit text NOT NULL,
    tier text NOT NULL,
    used_at timestamptz NOT NULL,
    used_by text NOT NULL,
    reference text,
    clause text NOT NULL,
    policyversion text NOT NULL
);
CREATE INDEX ix_benefit_use_member_id_benefit_used_at ON benefit_use (member_id, benefit, used_at);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    for table in ("benefit_use", "tier_review_line", "tier_review", "tier_notice"):
        op.execute(f"DROP TABLE {table}")
    for column in ("reason", "granted_by", "approved_by"):
        op.execute(f"ALTER TABLE tier_change DROP COLUMN {column}")
    op.execute("ALTER TABLE member DROP COLUMN tier_granted_until")
