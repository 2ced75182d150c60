"""Templates."""

from __future__ import annotations

revision = "no002"
down_revision = "no001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty so far."""


def downgrade() -> None:
    """Empty so far."""
