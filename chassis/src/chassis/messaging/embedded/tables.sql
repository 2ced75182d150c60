-- The embedded broker's tables, version 1. What works on them stands in functions.sql.
--
-- Locks, all advisory and of this database alone: (27490, 1) is the topology, shared by whoever routes, exclusive for
-- whoever changes it; (27490, 2) makes or upgrades the schema; (27490, 3) sweeps; (27491, n) is held by session n for
-- as long as its process lives.

CREATE TABLE broker.topology (
    version bigint NOT NULL  -- one row; counts every change, so that nobody routes by what is gone
);
INSERT INTO broker.topology VALUES (1);

CREATE TABLE broker.exchange (
    name text PRIMARY KEY,
    kind text NOT NULL CHECK (kind IN ('direct', 'topic', 'fanout')),
    alternate text,           -- where a message goes that no binding matches
    declared jsonb NOT NULL   -- what a second declaration has to equal
);
INSERT INTO broker.exchange VALUES
    ('amq.direct', 'direct', NULL, '{}'), ('amq.topic', 'topic', NULL, '{}'), ('amq.fanout', 'fanout', NULL, '{}');

CREATE TABLE broker.queue (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE,
    ttl integer,              -- milliseconds that a message may lie here
    dead_exchange text,       -- where what expired, was rejected, or was delivered too often goes; NULL: nowhere
    dead_key text,            -- with which routing key; NULL: its own
    safely boolean NOT NULL,  -- at-least-once: it stays here for as long as it has nowhere to go
    delivery_limit integer,
    max_length integer,
    declared jsonb NOT NULL
);

CREATE TABLE broker.binding (
    source text NOT NULL,
    destination text NOT NULL,
    to_exchange boolean NOT NULL,
    key text NOT NULL,
    pattern text NOT NULL,    -- the key as a regular expression over the words of a routing key
    PRIMARY KEY (source, destination, to_exchange, key)
);

-- A process that consumes. It is gone when its advisory lock is, or when it was not seen for its patience.
CREATE TABLE broker.session (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    client text NOT NULL,
    patience interval NOT NULL,
    last_seen timestamptz NOT NULL
) WITH (fillfactor = 50);

-- Who may hold messages of one queue: a consumer, or a channel that gets them one by one.
CREATE TABLE broker.holder (
    id integer GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    session integer NOT NULL,
    queue integer NOT NULL,
    highest bigint NOT NULL DEFAULT 0  -- the newest message it ever took: nothing beyond is leased by it
) WITH (fillfactor = 50);
CREATE INDEX holder_session ON broker.holder (session);
CREATE INDEX holder_queue ON broker.holder (queue);

CREATE SEQUENCE broker.message_id;

CREATE TABLE broker.message (
    id bigint PRIMARY KEY,
    exchange text NOT NULL,
    routing_key text NOT NULL,
    properties bytea NOT NULL,  -- as AMQP writes them
    body bytea NOT NULL,
    deaths jsonb,               -- what becomes the header x-death
    shared boolean NOT NULL     -- several queues hold it: its body goes with the last of them
);
ALTER TABLE broker.message ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX message_shared ON broker.message (id) WHERE shared;

-- One message in one queue. The order of a queue is that of its messages' ids, whoever held them meanwhile.
CREATE TABLE broker.delivery (
    message bigint NOT NULL,
    expires timestamptz,
    queue integer NOT NULL,
    holder integer,                        -- who has it unacknowledged: its lease
    deliveries integer NOT NULL DEFAULT 0,
    shared boolean NOT NULL,
    PRIMARY KEY (queue, message)
) WITH (fillfactor = 60);
CREATE INDEX delivery_shared ON broker.delivery (message) WHERE shared;

-- Rows come and go by the thousand: the vacuum must follow at once, not at a share of a table that once was long.
ALTER TABLE broker.delivery SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE broker.message SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 5000, autovacuum_vacuum_cost_delay = 0);
ALTER TABLE broker.session SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
ALTER TABLE broker.holder SET (autovacuum_vacuum_scale_factor = 0, autovacuum_vacuum_threshold = 500);
