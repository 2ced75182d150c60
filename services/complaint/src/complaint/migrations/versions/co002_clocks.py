"""Clocks."""

from __future__ import annotations

revision = "co002"
down_revision = "co001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty so far."""


def downgrade() -> None:
    """Empty so far."""
