"""A tier granted by hand and the counts of campaigns come along in a merge, and go back."""

from __future__ import annotations

from alembic import op

revision = "l012"
down_revision = "l011"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE merged_grant (
    merge_id uuid CONSTRAINT pk_merged_grant PRIMARY KEY,
    granted_id bigint NOT NULL,
    brought_id bigint NOT NULL
);
CREATE TABLE merged_part (
    merge_id uuid NOT NULL,
    campaign_id uuid NOT NULL,
    times integer NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT pk_merged_part PRIMARY KEY (merge_id, campaign_id)
);
"""

# Undoing a merge reads them: neither changed nor removed, for the service's own role too.
REVOKE = """
DO $$
DECLARE known record;
BEGIN
    FOR known IN
        SELECT DISTINCT c.oid::regclass AS place, r.rolname AS grantee
        FROM pg_class c
        CROSS JOIN LATERAL aclexplode(c.relacl) AS given
        LEFT JOIN pg_roles r ON r.oid = given.grantee
        WHERE c.oid IN ('merged_grant'::regclass, 'merged_part'::regclass) AND given.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE UPDATE, DELETE, TRUNCATE ON %s FROM %s', known.place,
            coalesce(quote_ident(known.grantee), 'PUBLIC'));
    END LOOP;
END $$
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("merged_grant", "merged_part"):
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
    op.execute("DROP TABLE merged_part")
    op.execute("DROP TABLE merged_grant")
