"""What proves a decision is neither changed nor removed, and no record of value goes: for the service's own role too.

The first migration revoked the rights of the owner. The service runs as a lesser role that gets its rights by the
owner's default privileges, and kept them: only the triggers stood in its way. Whoever was given rights loses them here.
"""

from __future__ import annotations

from alembic import op

revision = "l009"
down_revision = "l008"
branch_labels = None
depends_on = None

APPEND_ONLY = ("transaction", "lot_use", "business_key", "tier_change")  # since l001, with triggers
APPEND_ONLY_NOW = (
    "hold_lot",
    "merged_lot",
    "merged_hold",
    "birthday_grant",
    "opening",
    "benefit_use",
    "tier_notice",
    "tier_review_line",
)
NEVER_REMOVED = (
    "member",
    "lot",
    "hold",
    "redemption",
    "voucher",
    "reward",
    "campaign",
    "adjustment",
    "referral",
    "merge",
    "fraud_review",
    "tier_review",
)

# Partitions have rights of their own. The owner keeps what PostgreSQL needs of it to look after references.
REVOKE = """
DO $$
DECLARE known record;
BEGIN
    FOR known IN
        SELECT DISTINCT c.oid::regclass AS place, r.rolname AS grantee
        FROM unnest(ARRAY[{tables}]) AS named (place)
        CROSS JOIN LATERAL (SELECT named.place::regclass::oid AS oid UNION ALL
            SELECT inhrelid FROM pg_inherits WHERE inhparent = named.place::regclass) AS part
        JOIN pg_class c ON c.oid = part.oid
        CROSS JOIN LATERAL aclexplode(c.relacl) AS given
        LEFT JOIN pg_roles r ON r.oid = given.grantee
        WHERE given.grantee <> c.relowner
    LOOP
        EXECUTE format('REVOKE {rights} ON %s FROM %s', known.place,
            coalesce(quote_ident(known.grantee), 'PUBLIC'));
    END LOOP;
END $$
"""


def upgrade() -> None:
    for table in APPEND_ONLY_NOW:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    op.execute(_revoked("UPDATE, DELETE, TRUNCATE", (*APPEND_ONLY, *APPEND_ONLY_NOW)))
    op.execute(_revoked("DELETE, TRUNCATE", NEVER_REMOVED))


def downgrade() -> None:
    """The rights stay revoked: the service never used them."""
    for table in APPEND_ONLY_NOW:
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")


def _revoked(rights: str, tables: tuple[str, ...]) -> str:
    return REVOKE.format(rights=rights, tables=", ".join(f"'{table}'" for table in tables))
