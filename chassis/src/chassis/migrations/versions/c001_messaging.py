"""Outbox, inbox and dead letters: what makes sure that nothing is lost and nothing doubled."""

from __future__ import annotations

from alembic import op

revision = "c001_messaging"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.execute("CREATE SCHEMA IF NOT EXISTS chassis")
    op.execute(
        """
        CREATE TABLE chassis.outbox (
            id bigint GENERATED ALWAYS AS IDENTITY CONSTRAINT pk_outbox PRIMARY KEY,
            partition smallint NOT NULL,
            event_id text NOT NULL,
            type text NOT NULL,
            family text NOT NULL,
            routing_key text NOT NULL,
            partitionkey text NOT NULL,
            body bytea NOT NULL,
            created_at timestamptz NOT NULL,
            status text NOT NULL DEFAULT 'pending'
                CONSTRAINT ck_outbox_status CHECK (status IN ('pending', 'published', 'failed')),
            attempts integer NOT NULL DEFAULT 0,
            not_before timestamptz,
            error text,
            published_at timestamptz
        )
        """
    )
    op.execute("CREATE INDEX ix_outbox_pending ON chassis.outbox (id) WHERE status = 'pending'")
    op.execute("CREATE INDEX ix_outbox_failed ON chassis.outbox (id) WHERE status = 'failed'")
    op.execute("CREATE INDEX ix_outbox_created_at ON chassis.outbox USING brin (created_at)")
    # The relay rewrites every row once: vacuum early, so that the queue's front stays short.
    op.execute(
        "ALTER TABLE chassis.outbox SET (autovacuum_vacuum_scale_factor = 0.02, autovacuum_vacuum_threshold = 5000)"
    )
    op.execute(
        """
        CREATE TABLE chassis.inbox (
            subscription text NOT NULL,
            source text NOT NULL,
            event_id text NOT NULL,
            received_at timestamptz NOT NULL,
            body bytea,
            CONSTRAINT pk_inbox PRIMARY KEY (subscription, source, event_id)
        )
        """
    )
    op.execute("CREATE INDEX ix_inbox_received_at ON chassis.inbox USING brin (received_at)")
    op.execute(
        """
        CREATE TABLE chassis.dead_letter (
            id uuid CONSTRAINT pk_dead_letter PRIMARY KEY,
            queue text NOT NULL,
            source text,
            event_id text,
            type text,
            publisher text,
            content_type text,
            reason text NOT NULL,
            first_error text,
            attempts integer NOT NULL,
            headers jsonb NOT NULL,
            body bytea NOT NULL,
            status text NOT NULL DEFAULT 'waiting'
                CONSTRAINT ck_dead_letter_status CHECK (status IN ('waiting', 'replayed', 'dropped')),
            times integer NOT NULL DEFAULT 1,
            first_at timestamptz NOT NULL,
            last_at timestamptz NOT NULL,
            decided_at timestamptz,
            decided_by text,
            note text
        )
        """
    )
    op.execute("CREATE INDEX ix_dead_letter_status ON chassis.dead_letter (status, last_at DESC, id DESC)")
    op.execute("CREATE INDEX ix_dead_letter_last_at ON chassis.dead_letter (last_at DESC, id DESC)")
    op.execute("CREATE INDEX ix_dead_letter_event ON chassis.dead_letter (source, event_id)")


def downgrade() -> None:
    op.execute("DROP TABLE chassis.dead_letter")
    op.execute("DROP TABLE chassis.inbox")
    op.execute("DROP TABLE chassis.outbox")
