"""Points that no purchase earned: changes by hand, opening balances, referrals, birthdays, and what judges them.

``contact_mark`` holds digests of telephone numbers and addresses, so that nobody refers themselves; ``lunar_birthday``
the day of those who keep theirs by the lunar calendar. Rows from before get both with the customer's next event.
"""

from __future__ import annotations

from alembic import op

revision = "l004"
down_revision = "l003"
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE adjustment (
    id uuid CONSTRAINT pk_adjustment PRIMARY KEY,
    member_id uuid NOT NULL,
    points bigint NOT NULL,
    reason_code text NOT NULL,
    note text NOT NULL,
    needs text,
    why text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    approved_by text,
    transaction_id uuid,
    booked_at timestamptz,
    policyversion text NOT NULL,
    clause text NOT NULL,
    CONSTRAINT ck_adjustment_changes_something CHECK (points <> 0),
    CONSTRAINT ck_adjustment_booked_by_a_transaction CHECK ((transaction_id IS NULL) = (booked_at IS NULL))
);
CREATE INDEX ix_adjustment_member_id_id ON adjustment (member_id, id);

CREATE TABLE opening (
    id uuid CONSTRAINT pk_opening PRIMARY KEY,
    source text NOT NULL,
    lines integer NOT NULL,
    known integer NOT NULL,
    members integer NOT NULL,
    points bigint NOT NULL,
    growth bigint NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    policyversion text NOT NULL,
    clause text NOT NULL
);

CREATE TABLE referral (
    id uuid CONSTRAINT pk_referral PRIMARY KEY,
    referrer uuid NOT NULL,
    referred uuid NOT NULL,
    status text NOT NULL,
    created_by text NOT NULL,
    created_at timestamptz NOT NULL,
    purchase_id text,
    rewarded_at timestamptz,
    voided_at timestamptz,
    reason text,
    policyversion text NOT NULL,
    clause text NOT NULL,
    CONSTRAINT uq_referral_referred UNIQUE (referred),
    CONSTRAINT ck_referral_never_oneself CHECK (referrer <> referred)
);
CREATE INDEX ix_referral_referrer ON referral (referrer, id);
CREATE INDEX ix_referral_waiting ON referral (referred) WHERE status = 'waiting';

CREATE TABLE contact_mark (
    customer_id uuid NOT NULL,
    mark bytea NOT NULL,
    CONSTRAINT pk_contact_mark PRIMARY KEY (customer_id, mark)
);
CREATE INDEX ix_contact_mark_mark ON contact_mark (mark);

CREATE TABLE lunar_birthday (
    customer_id uuid CONSTRAINT pk_lunar_birthday PRIMARY KEY,
    month smallint NOT NULL,
    day smallint NOT NULL,
    leap boolean NOT NULL
);
CREATE INDEX ix_lunar_birthday_month_day ON lunar_birthday (month, day);

CREATE TABLE birthday_grant (
    member_id uuid NOT NULL,
    year integer NOT NULL,
    granted_on date NOT NULL,
    points bigint NOT NULL,
    benefit text,
    transaction_id uuid,
    CONSTRAINT pk_birthday_grant PRIMARY KEY (member_id, year)
);
CREATE INDEX ix_member_birthday ON member (extract(month FROM birthday), extract(day FROM birthday))
    WHERE birthday IS NOT NULL;
"""


def upgrade() -> None:
    op.execute(TABLES)


def downgrade() -> None:
    op.execute("DROP INDEX ix_member_birthday")
    for table in ("birthday_grant", "lunar_birthday", "contact_mark", "referral", "opening", "adjustment"):
        op.execute(f"DROP TABLE {table}")
