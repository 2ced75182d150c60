"""Complaints, their history, and the copy of the customers."""

from __future__ import annotations

from alembic import op

revision = "co001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE complaint (
    id uuid CONSTRAINT pk_complaint PRIMARY KEY,
    number text NOT NULL CONSTRAINT uq_complaint_number UNIQUE,
    type text NOT NULL,
    channel text NOT NULL,
    status text NOT NULL,
    level integer NOT NULL,
    level_reason jsonb NOT NULL,
    round integer NOT NULL DEFAULT 1,
    category text,
    subject text NOT NULL,
    description text NOT NULL,
    wanted text,
    details jsonb NOT NULL DEFAULT '{}',
    insists boolean NOT NULL DEFAULT false,
    value numeric(19, 4),
    currency text,
    customer_id uuid,
    verified boolean NOT NULL DEFAULT false,
    anonymous boolean NOT NULL DEFAULT false,
    complainant_name text,
    complainant_phone text,
    complainant_email text,
    complainant_key text,
    locale text,
    against_kind text,
    against_ref text,
    hidden_alone text[] NOT NULL DEFAULT '{}',
    hidden_with_subordinates text[] NOT NULL DEFAULT '{}',
    unit text,
    unit_path text COLLATE "C" NOT NULL DEFAULT '/',
    handler text,
    handler_role text NOT NULL,
    department text,
    waiting_from text,
    founded boolean,
    approval_needed boolean NOT NULL DEFAULT false,
    proposed_by text,
    cause text,
    outcome text,
    satisfaction integer,
    executive boolean NOT NULL DEFAULT false,
    repeat_of uuid,
    compensated numeric(19, 4) NOT NULL DEFAULT 0,
    received_at timestamptz NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    acknowledged_at timestamptz,
    first_contacted_at timestamptz,
    resolved_at timestamptz,
    closed_at timestamptz,
    policyversion text NOT NULL,
    version bigint NOT NULL DEFAULT 0,
    next_due_at timestamptz,
    breached boolean NOT NULL DEFAULT false,
    grade_rank smallint NOT NULL DEFAULT 0,
    queue_late smallint GENERATED ALWAYS AS (CASE WHEN breached THEN 0 ELSE 1 END) STORED,
    queue_due timestamptz GENERATED ALWAYS AS (coalesce(next_due_at, '9000-01-01 00:00:00+00')) STORED,
    queue_level smallint GENERATED ALWAYS AS (-level) STORED,
    grams text[] NOT NULL DEFAULT '{}',
    CONSTRAINT ck_complaint_level CHECK (level BETWEEN 1 AND 3),
    CONSTRAINT ck_complaint_round CHECK (round >= 1),
    CONSTRAINT ck_complaint_closed CHECK ((closed_at IS NOT NULL) = (status IN ('closed', 'withdrawn')))
);
CREATE INDEX ix_complaint_queue ON complaint (queue_late, queue_due, queue_level, grade_rank, id)
    WHERE closed_at IS NULL;
CREATE INDEX ix_complaint_handler ON complaint (handler, id);
CREATE INDEX ix_complaint_handler_open ON complaint (handler) WHERE closed_at IS NULL;
CREATE INDEX ix_complaint_created_by ON complaint (created_by, id);
CREATE INDEX ix_complaint_unit ON complaint (unit, id) WHERE unit_path = '/';  -- units that nobody knows
CREATE INDEX ix_complaint_unit_path ON complaint (unit_path, id);
CREATE INDEX ix_complaint_customer_id ON complaint (customer_id, id) WHERE customer_id IS NOT NULL;
CREATE INDEX ix_complaint_complainant_key ON complaint (complainant_key, received_at) WHERE complainant_key IS NOT NULL;
CREATE INDEX ix_complaint_status ON complaint (status, id);
CREATE INDEX ix_complaint_category ON complaint (category, id);
CREATE INDEX ix_complaint_received_at ON complaint (received_at);
CREATE INDEX ix_complaint_closed_at ON complaint (closed_at) WHERE closed_at IS NOT NULL;
CREATE INDEX ix_complaint_executive ON complaint (id) WHERE executive;
CREATE INDEX ix_complaint_grams ON complaint USING gin (grams);
CREATE INDEX ix_complaint_hidden ON complaint USING gin (hidden_alone, hidden_with_subordinates)
    WHERE hidden_alone <> '{}' OR hidden_with_subordinates <> '{}';

CREATE TABLE complaint_step (
    id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_complaint_step PRIMARY KEY,
    complaint_id uuid NOT NULL CONSTRAINT fk_complaint_step_complaint_id_complaint REFERENCES complaint (id),
    round integer NOT NULL,
    action text NOT NULL,
    from_status text,
    to_status text NOT NULL,
    by text NOT NULL,
    by_role text,
    at timestamptz NOT NULL,
    note text,
    data jsonb NOT NULL DEFAULT '{}',
    clause text
);
CREATE INDEX ix_complaint_step_complaint_id ON complaint_step (complaint_id, id);

CREATE FUNCTION history_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'the history of a case is append-only';
END $$;
CREATE TRIGGER complaint_step_stays BEFORE UPDATE OR DELETE ON complaint_step
    FOR EACH ROW EXECUTE FUNCTION history_stays();

CREATE TABLE customer_copy (
    id uuid CONSTRAINT pk_customer_copy PRIMARY KEY,
    code text,
    name text NOT NULL,
    status text NOT NULL,
    grade text,
    unit text,
    unit_path text,
    locale text,
    merged_into uuid,
    contact_keys text[] NOT NULL DEFAULT '{}',
    grams text[] NOT NULL DEFAULT '{}',
    version bigint NOT NULL
);
CREATE INDEX ix_customer_copy_contact_keys ON customer_copy USING gin (contact_keys);
CREATE INDEX ix_customer_copy_grams ON customer_copy USING gin (grams);
"""


def upgrade() -> None:
    """Create them."""
    op.execute(TABLES)


def downgrade() -> None:
    """Remove them."""
    op.execute("DROP TABLE customer_copy, complaint_step, complaint CASCADE; DROP FUNCTION history_stays")
