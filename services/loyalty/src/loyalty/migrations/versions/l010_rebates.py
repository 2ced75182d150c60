"""Rebates of dealers: one row per dealer and period, and the periods in which nobody is left."""

from __future__ import annotations

from alembic import op

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

# What was settled is neither changed nor removed: for the service's own role too, as of the books.
REVOKE = """
DO $$
DECLARE known record;
BEGIN
    FOR known IN
        SELECT DISTINCT c.oid::regclass AS place, r.rolname AS grantee
        FROM pg_class c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS given
        LEFT JOIN pg_roles r ON r.oid = given.grantee
        WHERE c.oid IN ('rebate'::regclass, 'rebate_period'::regclass) AND given.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM %s', known.place,
            coalesce(quote_ident(known.grantee), 'PUBLIC'));
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("rebate", "rebate_period"):
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(REVOKE)


def downgrade() -> None:
    op.execute("DROP TABLE rebate_period")
    op.execute("DROP TABLE rebate")
