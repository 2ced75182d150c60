"""The unit that looks after a member: staff see the members of their own units and of those below.

Rows from before get theirs with the customer's next event; until then the whole company's staff alone see them.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "l002"
down_revision = "l001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("member", sa.Column("unit", sa.Text))
    op.create_index("ix_member_unit", "member", ["unit", "customer_id"])


def downgrade() -> None:
    op.drop_index("ix_member_unit", "member")
    op.drop_column("member", "unit")
