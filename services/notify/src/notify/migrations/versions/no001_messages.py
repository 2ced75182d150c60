"""Messages, routes, recipients, inbox."""

from __future__ import annotations

from alembic import op

revision = "no001"
down_revision = None
branch_labels = None
depends_on = None

TABLES = """
CREATE TABLE consent (
    id bigint GENERATED ALWAYS AS IDENTITY,
    customer_id uuid NOT NULL,
    class text NOT NULL,
    channel text NOT NULL,
    given boolean NOT NULL,
    at timestamptz NOT NULL,
    source text,
    by text,
    recorded_at timestamptz NOT NULL,
    CONSTRAINT pk_consent PRIMARY KEY (id)
);
CREATE INDEX ix_consent_customer_id ON consent (customer_id, id);
CREATE UNIQUE INDEX uq_consent_said ON consent (customer_id, class, channel, at, given);
CREATE TABLE inbox_item (
    id uuid NOT NULL,
    message_id uuid NOT NULL,
    username text NOT NULL,
    kind text NOT NULL,
    class text NOT NULL,
    template text NOT NULL,
    subject text,
    body text NOT NULL,
    link jsonb NOT NULL,
    created_at timestamptz NOT NULL,
    read_at timestamptz,
    hidden_alone text[] DEFAULT '{}' NOT NULL,
    hidden_with_subordinates text[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_inbox_item PRIMARY KEY (id)
);
CREATE INDEX ix_inbox_item_unread ON inbox_item (username, id) WHERE read_at IS NULL;
CREATE INDEX ix_inbox_item_username ON inbox_item (username, id);
CREATE UNIQUE INDEX uq_inbox_item_message_id ON inbox_item (message_id);
CREATE TABLE message (
    id uuid NOT NULL,
    route text NOT NULL,
    source text NOT NULL,
    event_id text NOT NULL,
    event_type text,
    recipient_kind text NOT NULL,
    recipient text NOT NULL,
    customer_id uuid,
    unit_path text NOT NULL,
    channel text NOT NULL,
    channels text[] NOT NULL,
    class text NOT NULL,
    template text NOT NULL,
    locale text,
    urgent boolean DEFAULT false NOT NULL,
    by_law boolean DEFAULT false NOT NULL,
    status text NOT NULL,
    why text,
    clause text,
    policyversion text,
    created_at timestamptz NOT NULL,
    not_before timestamptz NOT NULL,
    expires_at timestamptz NOT NULL,
    next_attempt_at timestamptz,
    attempts smallint DEFAULT '0' NOT NULL,
    possible_duplicates smallint DEFAULT '0' NOT NULL,
    lease uuid,
    sent_at timestamptz,
    ended_at timestamptz,
    provider_reference text,
    template_version integer,
    name text,
    address text,
    data text,
    subject text,
    body text,
    hidden_alone text[] DEFAULT '{}' NOT NULL,
    hidden_with_subordinates text[] DEFAULT '{}' NOT NULL,
    CONSTRAINT pk_message PRIMARY KEY (id),
    CONSTRAINT uq_message_once UNIQUE (route, source, event_id, recipient, channel)
) WITH (fillfactor = 70);
CREATE INDEX ix_message_customer_id ON message (customer_id, id);
CREATE INDEX ix_message_duplicates ON message (id) WHERE possible_duplicates > 0;
CREATE INDEX ix_message_event_id ON message (event_id, id);
CREATE INDEX ix_message_held ON message (customer_id) WHERE status = 'held';
CREATE INDEX ix_message_next_attempt_at ON message (next_attempt_at, id)
    WHERE next_attempt_at IS NOT NULL;
CREATE INDEX ix_message_provider_reference ON message (channel, provider_reference)
    WHERE provider_reference IS NOT NULL;
CREATE INDEX ix_message_recipient ON message (recipient, id);
CREATE INDEX ix_message_route ON message (route, id);
CREATE INDEX ix_message_status ON message (status, id);
CREATE TABLE open_complaint (
    complaint_id uuid NOT NULL,
    customer_id uuid NOT NULL,
    open boolean NOT NULL,
    round integer NOT NULL,
    at timestamptz NOT NULL,
    CONSTRAINT pk_open_complaint PRIMARY KEY (complaint_id)
);
CREATE INDEX ix_open_complaint_customer_id ON open_complaint (customer_id) WHERE open;
CREATE TABLE preference (
    customer_id uuid NOT NULL,
    locale text,
    time_zone text,
    quiet_from time,
    quiet_until time,
    channels text[] NOT NULL,
    "off" jsonb NOT NULL,
    version integer NOT NULL,
    updated_at timestamptz NOT NULL,
    updated_by text NOT NULL,
    CONSTRAINT pk_preference PRIMARY KEY (customer_id)
);
CREATE TABLE recipient_copy (
    customer_id uuid NOT NULL,
    version bigint NOT NULL,
    status text NOT NULL,
    merged_into uuid,
    blacklisted boolean DEFAULT false NOT NULL,
    name text,
    contacts text,
    locale text,
    unit text,
    unit_path text NOT NULL,
    account_manager text,
    updated_at timestamptz NOT NULL,
    CONSTRAINT pk_recipient_copy PRIMARY KEY (customer_id)
);
CREATE TABLE route (
    name text NOT NULL,
    id uuid NOT NULL,
    event text NOT NULL,
    recipients jsonb NOT NULL,
    conditions jsonb NOT NULL,
    class text NOT NULL,
    template text NOT NULL,
    channels text[] NOT NULL,
    urgent boolean NOT NULL,
    enabled boolean DEFAULT true NOT NULL,
    clause text,
    version integer NOT NULL,
    created_at timestamptz NOT NULL,
    created_by text NOT NULL,
    CONSTRAINT pk_route PRIMARY KEY (name)
);
CREATE TABLE suppression (
    channel text NOT NULL,
    fingerprint text NOT NULL,
    id uuid NOT NULL,
    address text NOT NULL,
    reason text NOT NULL,
    at timestamptz NOT NULL,
    by text NOT NULL,
    CONSTRAINT pk_suppression PRIMARY KEY (channel, fingerprint)
);
CREATE UNIQUE INDEX ix_suppression_id ON suppression (id);
"""
DROPPED = ("suppression", "route", "recipient_copy", "preference", "open_complaint", "message", "inbox_item", "consent")


def upgrade() -> None:
    """Everything of the engine but the texts."""
    op.execute(TABLES)


def downgrade() -> None:
    """Back to nothing."""
    op.execute(f"DROP TABLE {', '.join(DROPPED)}")
