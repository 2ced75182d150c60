"""What a table's rows may not suffer, said once for all migrations: nobody but its owner keeps the right to it."""

from __future__ import annotations

from alembic import op

# Partitions have rights of their own. The owner keeps what PostgreSQL needs of it to look after references.
_REVOKE = """
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


def append_only(*tables: str) -> None:
    """From now on rows are added alone; ``refuse_change`` of the first migration says so to the owner too."""
    for table in tables:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        op.execute(
            f"CREATE TRIGGER {table}_no_truncate BEFORE TRUNCATE ON {table} "
            "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
        )
    revoke("UPDATE, DELETE, TRUNCATE", *tables)


def revoke(rights: str, *tables: str) -> None:
    """Take rights to these tables from everybody but their owner."""
    op.execute(_REVOKE.format(rights=rights, tables=", ".join(f"'{table}'" for table in tables)))
