"""One table."""

from alembic import op

revision = "b001_thing"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute(
        "CREATE TABLE thing (id uuid PRIMARY KEY, code text NOT NULL, name text NOT NULL,"
        " price numeric(19, 4) NOT NULL,"
        " at timestamptz NOT NULL, copies bigint NOT NULL)"
    )
