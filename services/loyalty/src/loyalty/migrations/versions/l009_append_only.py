"""What proves a decision is neither changed nor removed, and no record of value goes: for the service's own role too.

The first migration revoked the rights of the owner. The service runs as a lesser role that gets its rights by the
owner's default privileges, and kept them: only the triggers stood in its way. Whoever was given rights loses them here.
"""

from __future__ import annotations

from alembic import op

from loyalty.migrations.rights import append_only, revoke

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


def upgrade() -> None:
    revoke("UPDATE, DELETE, TRUNCATE", *APPEND_ONLY)
    append_only(*APPEND_ONLY_NOW)
    revoke("DELETE, TRUNCATE", *NEVER_REMOVED)


def downgrade() -> None:
    """The rights stay revoked: the service never used them."""
    for table in APPEND_ONLY_NOW:
        op.execute(f"DROP TRIGGER {table}_no_truncate ON {table}")
        op.execute(f"DROP TRIGGER {table}_append_only ON {table}")
