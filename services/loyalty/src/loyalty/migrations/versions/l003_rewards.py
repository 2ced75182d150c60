"""Rewards, redemptions and vouchers; points that come back are a use of a lot with its sign turned.

``lot_use`` allowed what is taken alone. A cancelled redemption gives points back to the lots they came from: a row of
the same table with a negative number, so that a lot is still what it was less the sum of its uses.
"""

from __future__ import annotations

from alembic import op

revision = "l003"
down_revision = "l002"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE reward (
    id uuid CONSTRAINT pk_reward PRIMARY KEY,
    code text NOT NULL CONSTRAINT uq_reward_code UNIQUE,
    version bigint NOT NULL,
    kind text NOT NULL,
    name text NOT NULL,
    description text,
    points bigint NOT NULL,
    tiers jsonb NOT NULL,
    per_member integer,
    stock integer,
    taken integer NOT NULL,
    usable_for_days integer,
    valid_from timestamptz NOT NULL,
    valid_until timestamptz,
    created_at timestamptz NOT NULL,
    created_by text,
    CONSTRAINT ck_reward_never_oversold CHECK (taken >= 0 AND taken <= stock),
    CONSTRAINT ck_reward_price CHECK (points >= 0)
);

CREATE TABLE redemption (
    id uuid CONSTRAINT pk_redemption PRIMARY KEY,
    member_id uuid NOT NULL,
    reward_id uuid CONSTRAINT fk_redemption_reward_id_reward REFERENCES reward,
    reward text,
    name text,
    kind text NOT NULL,
    quantity integer NOT NULL,
    points bigint NOT NULL,
    amount numeric NOT NULL,
    currency text NOT NULL,
    status text NOT NULL,
    hold_id uuid,
    transaction_id uuid,
    reference text,
    policyversion text NOT NULL,
    clause text NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text,
    cancelled_at timestamptz,
    cancelled_by text,
    cancelled_because text,
    CONSTRAINT ck_redemption_of_something CHECK (quantity > 0 AND points >= 0)
);
CREATE INDEX ix_redemption_member_id_id ON redemption (member_id, id);
CREATE INDEX ix_redemption_member_id_reward_id ON redemption (member_id, reward_id) WHERE reward_id IS NOT NULL;
CREATE INDEX ix_redemption_reward_id_id ON redemption (reward_id, id);

CREATE TABLE voucher (
    id uuid CONSTRAINT pk_voucher PRIMARY KEY,
    code text NOT NULL CONSTRAINT uq_voucher_code UNIQUE,
    redemption_id uuid NOT NULL CONSTRAINT fk_voucher_redemption_id_redemption REFERENCES redemption,
    status text NOT NULL,
    issued_at timestamptz NOT NULL,
    valid_until timestamptz,
    used_at timestamptz,
    used_by text,
    store text,
    reference text
);
CREATE INDEX ix_voucher_redemption_id ON voucher (redemption_id);

ALTER TABLE hold ADD COLUMN redemption_id uuid;
ALTER TABLE lot_use DROP CONSTRAINT lot_use_points_check;
ALTER TABLE lot_use ADD CONSTRAINT ck_lot_use_of_something CHECK (points <> 0);
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    """What came back stays written; only new rows are held to the older rule."""
    op.execute("ALTER TABLE lot_use DROP CONSTRAINT ck_lot_use_of_something")
    op.execute("ALTER TABLE lot_use ADD CONSTRAINT lot_use_points_check CHECK (points > 0) NOT VALID")
    op.execute("ALTER TABLE hold DROP COLUMN redemption_id")
    for table in ("voucher", "redemption", "reward"):
        op.execute(f"DROP TABLE {table}")
