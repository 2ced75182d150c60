"""Rounds, proposals, compensations and personal links."""

from __future__ import annotations

revision = "co003"
down_revision = "co002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty so far."""


def downgrade() -> None:
    """Empty so far."""
