"""Complaints, their history, and the copy of the customers."""

from __future__ import annotations

revision = "co001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Empty so far."""


def downgrade() -> None:
    """Empty so far."""
