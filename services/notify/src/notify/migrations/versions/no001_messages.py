"""Messages, routes, recipients."""

from __future__ import annotations

revision = "no001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty so far."""


def downgrade() -> None:
    """Empty so far."""
