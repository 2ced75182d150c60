"""The ledger, members, earning, redemption and tiers."""

from __future__ import annotations

from alembic import op

revision = "l001"
down_revision = None
branch_labels = None
depends_on = None

PARTITIONS = 8
APPEND_ONLY = ("transaction", "lot_use", "business_key", "tier_change")

TABLES = """
CREATE TABLE member (
    customer_id uuid CONSTRAINT pk_member PRIMARY KEY,
    code text,
    status text NOT NULL DEFAULT 'active',
    enrolled_at timestamptz NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    birthday date,
    earns_blocked boolean NOT NULL DEFAULT false,
    pending bigint NOT NULL DEFAULT 0,
    available bigint NOT NULL DEFAULT 0,
    held bigint NOT NULL DEFAULT 0,
    blocked bigint NOT NULL DEFAULT 0,
    deficit bigint NOT NULL DEFAULT 0,
    growth bigint NOT NULL DEFAULT 0,
    growth_before bigint NOT NULL DEFAULT 0,
    growth_from timestamptz,
    growth_first timestamptz,
    growth_until timestamptz,
    tier text NOT NULL,
    tier_since timestamptz,
    tier_kept_until timestamptz,
    tier_review_at timestamptz,
    rises integer NOT NULL DEFAULT 0,
    sequence bigint NOT NULL DEFAULT 0,
    CONSTRAINT ck_member_no_negative_purse CHECK (pending >= 0 AND held >= 0 AND blocked >= 0 AND deficit >= 0),
    CONSTRAINT ck_member_overdrawn_only_by_deficit CHECK (available >= -deficit)
) WITH (fillfactor = 60);
CREATE INDEX ix_member_tier_review_at ON member (tier_review_at) WHERE tier_review_at IS NOT NULL;
CREATE INDEX ix_member_tier ON member (tier, customer_id);

CREATE TABLE identity (
    identity text CONSTRAINT pk_identity PRIMARY KEY,
    customer_id uuid
);
CREATE INDEX ix_identity_customer_id ON identity (customer_id);

CREATE TABLE transaction (
    member_id uuid NOT NULL,
    id uuid NOT NULL,
    kind text NOT NULL,
    business_key text NOT NULL,
    occurred_at timestamptz NOT NULL,
    effective_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    points_pending bigint,
    points_available bigint,
    points_held bigint,
    points_blocked bigint,
    points_issued bigint,
    points_redeemed bigint,
    points_expired bigint,
    points_adjusted bigint,
    growth_available bigint,
    growth_issued bigint,
    policyversion text,
    clause text,
    reference text,
    reason text,
    detail json,
    CONSTRAINT pk_transaction PRIMARY KEY (member_id, id),
    CONSTRAINT ck_transaction_points_sum_to_0 CHECK (
        coalesce(points_pending, 0) + coalesce(points_available, 0) + coalesce(points_held, 0)
        + coalesce(points_blocked, 0) + coalesce(points_issued, 0) + coalesce(points_redeemed, 0)
        + coalesce(points_expired, 0) + coalesce(points_adjusted, 0) = 0),
    CONSTRAINT ck_transaction_growth_sums_to_0 CHECK (coalesce(growth_available, 0) + coalesce(growth_issued, 0) = 0)
) PARTITION BY HASH (member_id);
CREATE INDEX ix_transaction_reference ON transaction (member_id, reference) WHERE kind = 'refund';
CREATE INDEX ix_transaction_growth ON transaction (member_id, effective_at) INCLUDE (growth_available)
    WHERE growth_available IS NOT NULL;

CREATE VIEW entry AS
SELECT t.member_id, t.id AS transaction_id, leg.currency, leg.account, leg.amount, t.effective_at
FROM transaction t CROSS JOIN LATERAL (VALUES
    ('points', 'pending', t.points_pending), ('points', 'available', t.points_available),
    ('points', 'held', t.points_held), ('points', 'blocked', t.points_blocked),
    ('points', 'issued', t.points_issued), ('points', 'redeemed', t.points_redeemed),
    ('points', 'expired', t.points_expired), ('points', 'adjusted', t.points_adjusted),
    ('growth', 'available', t.growth_available), ('growth', 'issued', t.growth_issued)
) AS leg (currency, account, amount) WHERE leg.amount IS NOT NULL;

CREATE TABLE lot (
    member_id uuid NOT NULL,
    id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    state text NOT NULL,
    points bigint NOT NULL,
    remaining bigint NOT NULL,
    reserved bigint NOT NULL DEFAULT 0,
    unit_cost numeric NOT NULL,
    campaign text,
    earned_at timestamptz NOT NULL,
    available_at timestamptz NOT NULL,
    expires_at timestamptz,
    CONSTRAINT pk_lot PRIMARY KEY (member_id, id),
    CONSTRAINT ck_lot_never_negative CHECK (remaining >= 0 AND reserved >= 0 AND reserved <= remaining)
) PARTITION BY HASH (member_id);
CREATE INDEX ix_lot_open ON lot (member_id, expires_at, earned_at) WHERE remaining > 0;
CREATE INDEX ix_lot_pending ON lot (available_at) WHERE state = 'pending';
CREATE INDEX ix_lot_expiring ON lot (expires_at) WHERE state = 'available' AND remaining > reserved;

CREATE TABLE lot_use (
    member_id uuid NOT NULL,
    lot_id uuid NOT NULL,
    transaction_id uuid NOT NULL,
    points bigint NOT NULL CHECK (points > 0)
) PARTITION BY HASH (member_id);
CREATE INDEX ix_lot_use_member_id_lot_id ON lot_use (member_id, lot_id);

CREATE TABLE business_key (
    key text NOT NULL,
    content bytea NOT NULL,
    member_id uuid,
    transaction_id uuid,
    CONSTRAINT pk_business_key PRIMARY KEY (key)
) PARTITION BY HASH (key);

CREATE TABLE waiting_purchase (
    purchase_id text CONSTRAINT pk_waiting_purchase PRIMARY KEY,
    place bigint GENERATED BY DEFAULT AS IDENTITY,
    identity text NOT NULL,
    content bytea NOT NULL,
    body bytea NOT NULL,
    occurred_at timestamptz NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX ix_waiting_purchase_identity ON waiting_purchase (identity);

CREATE TABLE waiting_refund (
    refund_id text CONSTRAINT pk_waiting_refund PRIMARY KEY,
    place bigint GENERATED BY DEFAULT AS IDENTITY,
    purchase_id text NOT NULL,
    content bytea NOT NULL,
    body bytea NOT NULL,
    received_at timestamptz NOT NULL
);
CREATE INDEX ix_waiting_refund_purchase_id ON waiting_refund (purchase_id);

CREATE TABLE hold (
    id uuid CONSTRAINT pk_hold PRIMARY KEY,
    member_id uuid NOT NULL,
    points bigint NOT NULL,
    captured bigint NOT NULL DEFAULT 0,
    status text NOT NULL,
    reference text,
    created_by text,
    created_at timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    resolved_at timestamptz,
    CONSTRAINT ck_hold_within_its_points CHECK (points > 0 AND captured >= 0 AND captured <= points)
);
CREATE INDEX ix_hold_member_id_id ON hold (member_id, id);

CREATE TABLE hold_lot (
    hold_id uuid NOT NULL,
    place integer NOT NULL,
    lot_id uuid NOT NULL,
    points bigint NOT NULL,
    CONSTRAINT pk_hold_lot PRIMARY KEY (hold_id, place)
);

CREATE TABLE tier_change (
    id bigint GENERATED BY DEFAULT AS IDENTITY CONSTRAINT pk_tier_change PRIMARY KEY,
    member_id uuid NOT NULL,
    kind text NOT NULL,
    tier text NOT NULL,
    previous text NOT NULL,
    since timestamptz NOT NULL,
    kept_until timestamptz,
    growth bigint NOT NULL,
    transaction_id uuid,
    revokes bigint,
    recorded_at timestamptz NOT NULL,
    policyversion text,
    clause text
);
CREATE INDEX ix_tier_change_member_id_since ON tier_change (member_id, since);
"""

# A row trigger is cloned to every partition and costs nothing on insert; TRUNCATE needs one per table.
REFUSAL = """
CREATE FUNCTION refuse_change() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the ledger is append-only: % of % is refused; post a new transaction instead', TG_OP, TG_TABLE_NAME
        USING ERRCODE = 'restrict_violation';
END $$
"""


def upgrade() -> None:
    op.execute(TABLES)
    for table in ("transaction", "lot", "lot_use", "business_key"):
        for part in range(PARTITIONS):
            op.execute(
                f"CREATE TABLE {table}_{part} PARTITION OF {table} "
                f"FOR VALUES WITH (MODULUS {PARTITIONS}, REMAINDER {part})"
            )
    op.execute(REFUSAL)
    for table in APPEND_ONLY:
        op.execute(
            f"CREATE TRIGGER {table}_append_only BEFORE UPDATE OR DELETE ON {table} "
            "FOR EACH ROW EXECUTE FUNCTION refuse_change()"
        )
        names = [table] if table == "tier_change" else [table, *(f"{table}_{part}" for part in range(PARTITIONS))]
        for name in names:
            op.execute(
                f"CREATE TRIGGER {name}_no_truncate BEFORE TRUNCATE ON {name} "
                "FOR EACH STATEMENT EXECUTE FUNCTION refuse_change()"
            )
            op.execute(f"REVOKE UPDATE, DELETE, TRUNCATE ON {name} FROM PUBLIC, CURRENT_USER")


def downgrade() -> None:
    op.execute("DROP VIEW entry")
    for table in [
        "tier_change",
        "hold_lot",
        "hold",
        "waiting_refund",
        "waiting_purchase",
        "business_key",
        "lot_use",
        "lot",
        "transaction",
        "identity",
        "member",
    ]:
        op.execute(f"DROP TABLE {table}")
    op.execute("DROP FUNCTION refuse_change")
