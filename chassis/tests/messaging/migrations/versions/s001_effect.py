"""The table in which the test service's effects are seen."""

from __future__ import annotations

from alembic import op

revision = "s001_effect"
down_revision = None


def upgrade() -> None:
    op.execute("CREATE TABLE effect (n bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, event_id text, subject text)")
