-- What the embedded broker does, each as one statement of its client: a process that freezes or dies leaves no
-- transaction open. Errors of ours: KZ001 the lease is lost, KZ404 there is no such thing, KZ406 it is otherwise.
-- Every name of a function's own begins with an underscore.

-- Queues that a message reaches, in no order; NULL when there is no such exchange. Patterns match the routing key
-- with a dot before each of its words.
CREATE OR REPLACE FUNCTION broker.route(_exchange text, _key text) RETURNS integer[] LANGUAGE plpgsql STABLE AS $$
DECLARE
    _words text := CASE WHEN _key = '' THEN '' ELSE '.' || _key END;
    _open text[] := ARRAY[_exchange];
    _seen text[] := '{}';
    _found integer[] := '{}';
    _next text;
    _alternate text;
BEGIN
    IF _exchange = '' THEN
        RETURN ARRAY(SELECT id FROM broker.queue WHERE name = _key);
    END IF;
    IF NOT EXISTS (SELECT FROM broker.exchange WHERE name = _exchange) THEN
        RETURN NULL;
    END IF;
    WHILE cardinality(_open) > 0 LOOP
        _next := _open[1];
        _open := _open[2:];
        CONTINUE WHEN _next = ANY(_seen);
        _seen := _seen || _next;
        IF EXISTS (SELECT FROM broker.binding b WHERE b.source = _next AND _words ~ b.pattern) THEN
            _found := _found || ARRAY(
                SELECT q.id FROM broker.binding b JOIN broker.queue q ON q.name = b.destination
                WHERE b.source = _next AND NOT b.to_exchange AND _words ~ b.pattern AND q.id <> ALL(_found)
                GROUP BY q.id);
            _open := _open || ARRAY(
                SELECT b.destination FROM broker.binding b
                WHERE b.source = _next AND b.to_exchange AND _words ~ b.pattern);
        ELSE
            SELECT alternate INTO _alternate FROM broker.exchange WHERE name = _next;
            IF _alternate IS NOT NULL THEN
                _open := _open || _alternate;
            END IF;
        END IF;
    END LOOP;
    RETURN _found;
END $$;

-- Publish messages whose queues were found under topology version _known: all of them, on disk, or none.
-- False: the topology is another by now, route again.
CREATE OR REPLACE FUNCTION broker.publish(
    _known bigint, _exchanges text[], _keys text[], _properties bytea[], _bodies bytea[], _shared boolean[],
    _expirations integer[], _of integer[], _queues integer[]
) RETURNS boolean LANGUAGE plpgsql AS $$
DECLARE
    _ids bigint[];
BEGIN
    PERFORM pg_advisory_xact_lock_shared(27490, 1);
    IF (SELECT version FROM broker.topology) <> _known THEN
        RETURN false;
    END IF;
    PERFORM set_config('synchronous_commit', 'on', true);
    SELECT array_agg(nextval('broker.message_id')) INTO _ids FROM generate_series(1, cardinality(_bodies));
    INSERT INTO broker.message (id, exchange, routing_key, properties, body, shared)
        SELECT * FROM unnest(_ids, _exchanges, _keys, _properties, _bodies, _shared);
    INSERT INTO broker.delivery (message, queue, shared, expires)
        SELECT _ids[t.number], q.id, _shared[t.number],
            clock_timestamp() + make_interval(secs => least(q.ttl, _expirations[t.number]) / 1000.0)
        FROM unnest(_of, _queues) AS t(number, queue) JOIN broker.queue q ON q.id = t.queue;
    RETURN true;
END $$;

-- Tell whoever listens that these queues have something. Never in a transaction that waits for the disk: a commit
-- that notifies keeps every other such commit of the whole server waiting.
CREATE OR REPLACE FUNCTION broker.announce(_queues integer[]) RETURNS void LANGUAGE sql AS $$
    SELECT pg_notify('kezhi_broker_' || queue, '') FROM unnest(_queues) AS queue
$$;

CREATE OR REPLACE FUNCTION broker.open_session(_client text, _patience interval) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    _id integer := nextval(pg_get_serial_sequence('broker.session', 'id'));
BEGIN
    PERFORM pg_advisory_lock(27491, _id);  -- first: whoever sees the row sees the lock
    INSERT INTO broker.session (id, client, patience, last_seen) OVERRIDING SYSTEM VALUE
        VALUES (_id, _client, _patience, clock_timestamp());
    RETURN _id;
END $$;

CREATE OR REPLACE FUNCTION broker.hold(_session integer, _queue integer) RETURNS integer LANGUAGE plpgsql AS $$
DECLARE
    _id integer;
BEGIN
    PERFORM FROM broker.session WHERE id = _session FOR KEY SHARE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this session was given up' USING ERRCODE = 'KZ001';
    END IF;
    INSERT INTO broker.holder (session, queue) VALUES (_session, _queue) RETURNING id INTO _id;
    RETURN _id;
END $$;

-- Lease up to _most messages. The lock on the holder's row keeps a sweep, that finds this process gone, from
-- overlooking what is leased here at the same moment.
CREATE OR REPLACE FUNCTION broker.take(_holder integer, _most integer) RETURNS TABLE (
    id bigint, deliveries integer, exchange text, routing_key text, properties bytea, body bytea, deaths jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    _queue integer;
BEGIN
    SELECT h.queue INTO _queue FROM broker.holder h WHERE h.id = _holder FOR NO KEY UPDATE;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'this consumer was given up, or its queue deleted' USING ERRCODE = 'KZ001';
    END IF;
    RETURN QUERY
        WITH ready AS (
            SELECT d.message FROM broker.delivery d
            WHERE d.queue = _queue AND d.holder IS NULL AND (d.expires IS NULL OR d.expires > clock_timestamp())
            ORDER BY d.message LIMIT _most FOR UPDATE SKIP LOCKED
        ), taken AS (
            UPDATE broker.delivery d SET holder = _holder, deliveries = d.deliveries + 1 FROM ready
            WHERE d.queue = _queue AND d.message = ready.message RETURNING d.message, d.deliveries
        ), marked AS (
            UPDATE broker.holder h SET highest = greatest(h.highest, (SELECT max(message) FROM taken))
            WHERE h.id = _holder AND EXISTS (SELECT FROM taken)
        )
        SELECT m.id, t.deliveries, m.exchange, m.routing_key, m.properties, m.body, m.deaths
        FROM taken t LEFT JOIN broker.message m ON m.id = t.message ORDER BY t.message;
END $$;

-- The first message of a queue for somebody who needs no lease: gone from it, whatever becomes of that somebody.
CREATE OR REPLACE FUNCTION broker.pop(_name text) RETURNS TABLE (
    id bigint, deliveries integer, exchange text, routing_key text, properties bytea, body bytea, deaths jsonb
) LANGUAGE plpgsql AS $$
DECLARE
    _queue integer;
    _shared boolean;
BEGIN
    SELECT q.id INTO _queue FROM broker.queue q WHERE q.name = _name;
    IF NOT FOUND THEN
        RAISE EXCEPTION 'no queue ''%''', _name USING ERRCODE = 'KZ404';
    END IF;
    SELECT d.message, d.deliveries + 1, d.shared INTO id, deliveries, _shared FROM broker.delivery d
        WHERE d.queue = _queue AND d.holder IS NULL AND (d.expires IS NULL OR d.expires > clock_timestamp())
        ORDER BY d.message LIMIT 1 FOR UPDATE SKIP LOCKED;
    IF NOT FOUND THEN
        RETURN;
    END IF;
    SELECT m.exchange, m.routing_key, m.properties, m.body, m.deaths
        INTO exchange, routing_key, properties, body, deaths FROM broker.message m WHERE m.id = pop.id;
    DELETE FROM broker.delivery d WHERE d.queue = _queue AND d.message = pop.id;
    IF _shared THEN
        PERFORM broker.forget(NULL, ARRAY[id]);
    ELSE
        PERFORM broker.forget(ARRAY[id], NULL);
    END IF;
    RETURN NEXT;
END $$;

-- Bodies of deliveries that are gone. Of shared ones the last delivery takes the body with it; where two went at the
-- same moment, a later sweep does.
CREATE OR REPLACE FUNCTION broker.forget(_own bigint[], _shared bigint[]) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF _own IS NOT NULL THEN
        DELETE FROM broker.message WHERE id = ANY(_own);
    END IF;
    IF _shared IS NOT NULL THEN
        DELETE FROM broker.message m WHERE m.id = ANY(_shared)
            AND NOT EXISTS (SELECT FROM broker.delivery d WHERE d.message = m.id AND d.shared);
    END IF;
END $$;

-- Acknowledge: all of these, or none when one of them is no longer held.
CREATE OR REPLACE FUNCTION broker.settle(_holder integer, _queue integer, _messages bigint[]) RETURNS void
LANGUAGE plpgsql AS $$
DECLARE
    _count integer;
    _own bigint[];
    _shared bigint[];
BEGIN
    WITH gone AS (
        DELETE FROM broker.delivery WHERE queue = _queue AND message = ANY(_messages) AND holder = _holder
        RETURNING message, shared
    )
    SELECT count(*), array_agg(message) FILTER (WHERE NOT shared), array_agg(message) FILTER (WHERE shared)
        INTO _count, _own, _shared FROM gone;
    IF _count <> cardinality(_messages) THEN
        RAISE EXCEPTION '% of % messages are no longer held', cardinality(_messages) - _count, cardinality(_messages)
            USING ERRCODE = 'KZ001';
    END IF;
    PERFORM broker.forget(_own, _shared);
END $$;

-- Dead-letter deliveries that nobody else can have: the caller holds them, or has locked them. Answers the queues
-- that have them now. Where they have nowhere to go and must go safely, they stay.
CREATE OR REPLACE FUNCTION broker.bury(_queue integer, _messages bigint[], _reason text) RETURNS integer[]
LANGUAGE plpgsql AS $$
DECLARE
    _from broker.queue;
    _key text;
    _these bigint[];
    _targets integer[];
    _told integer[] := '{}';
    _own bigint[];
    _common bigint[];
BEGIN
    SELECT * INTO STRICT _from FROM broker.queue WHERE id = _queue;
    FOR _key, _these IN
        SELECT coalesce(_from.dead_key, routing_key), array_agg(id) FROM broker.message
        WHERE id = ANY(_messages) GROUP BY 1
    LOOP
        _targets := CASE WHEN _from.dead_exchange IS NULL THEN '{}' ELSE broker.route(_from.dead_exchange, _key) END;
        CONTINUE WHEN _from.safely AND _from.dead_exchange IS NOT NULL AND coalesce(cardinality(_targets), 0) = 0;
        IF cardinality(_targets) > 0 THEN
            WITH old AS MATERIALIZED (
                SELECT nextval('broker.message_id') AS new_id, m.* FROM
                    (SELECT * FROM broker.message WHERE id = ANY(_these) ORDER BY id) m
            ), copied AS (
                INSERT INTO broker.message (id, exchange, routing_key, properties, body, deaths, shared)
                SELECT new_id, _from.dead_exchange, _key, properties, body,
                    broker.deaths_with(deaths, _from.name, _reason, exchange, routing_key),
                    cardinality(_targets) > 1
                FROM old
            )
            INSERT INTO broker.delivery (message, queue, shared, expires)
                SELECT old.new_id, q.id, cardinality(_targets) > 1,
                    clock_timestamp() + make_interval(secs => q.ttl / 1000.0)
                FROM old CROSS JOIN unnest(_targets) AS target JOIN broker.queue q ON q.id = target;
            _told := _told || _targets;
        END IF;
        WITH gone AS (
            DELETE FROM broker.delivery WHERE queue = _queue AND message = ANY(_these) RETURNING message, shared
        )
        SELECT array_agg(message) FILTER (WHERE NOT shared), array_agg(message) FILTER (WHERE shared)
            INTO _own, _common FROM gone;
        PERFORM broker.forget(_own, _common);
    END LOOP;
    RETURN _told;
END $$;

-- The history of a message with one more death, as RabbitMQ writes it: newest first, one entry per queue and reason.
CREATE OR REPLACE FUNCTION broker.deaths_with(_deaths jsonb, _queue text, _reason text, _exchange text, _key text)
RETURNS jsonb LANGUAGE sql AS $$
    SELECT jsonb_build_array(jsonb_build_object(
            'queue', _queue, 'reason', _reason, 'exchange', _exchange, 'routing-keys', jsonb_build_array(_key),
            'time', extract(epoch FROM clock_timestamp())::bigint,
            'count', 1 + coalesce((SELECT (d->>'count')::integer FROM jsonb_array_elements(_deaths) d
                WHERE d->>'queue' = _queue AND d->>'reason' = _reason), 0)))
        || coalesce((SELECT jsonb_agg(d) FROM jsonb_array_elements(_deaths) d
            WHERE d->>'queue' <> _queue OR d->>'reason' <> _reason), '[]')
$$;

-- Give messages back to the place they had; those that were delivered too often go to the dead letters.
-- Answers the queues that have something new. Messages that are no longer held are left alone.
CREATE OR REPLACE FUNCTION broker.release(_holder integer, _queue integer, _messages bigint[]) RETURNS integer[]
LANGUAGE plpgsql AS $$
DECLARE
    _worn bigint[];
    _back integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(27490, 1);
    WITH back AS (
        UPDATE broker.delivery d SET holder = NULL FROM broker.queue q
        WHERE d.queue = _queue AND d.message = ANY(_messages) AND d.holder = _holder AND q.id = d.queue
        RETURNING d.message, d.deliveries > q.delivery_limit AS worn
    )
    SELECT count(*), array_agg(message) FILTER (WHERE worn) INTO _back, _worn FROM back;
    RETURN CASE WHEN _back > coalesce(cardinality(_worn), 0) THEN ARRAY[_queue] ELSE '{}' END
        || CASE WHEN _worn IS NULL THEN '{}' ELSE broker.bury(_queue, _worn, 'delivery_limit') END;
END $$;

-- Refuse messages for good. Answers the queues that have them now.
CREATE OR REPLACE FUNCTION broker.reject(_holder integer, _queue integer, _messages bigint[]) RETURNS integer[]
LANGUAGE plpgsql AS $$
DECLARE
    _count integer;
BEGIN
    PERFORM pg_advisory_xact_lock_shared(27490, 1);
    SELECT count(*) INTO _count FROM (
        SELECT FROM broker.delivery WHERE queue = _queue AND message = ANY(_messages) AND holder = _holder FOR UPDATE
    ) held;
    IF _count <> cardinality(_messages) THEN
        RAISE EXCEPTION '% of % messages are no longer held', cardinality(_messages) - _count, cardinality(_messages)
            USING ERRCODE = 'KZ001';
    END IF;
    UPDATE broker.delivery SET holder = NULL WHERE queue = _queue AND message = ANY(_messages);
    RETURN broker.bury(_queue, _messages, 'rejected');
END $$;

-- These consumers are no more: what they held is there for others. Answers the queues that have something new.
CREATE OR REPLACE FUNCTION broker.leave(_holders integer[]) RETURNS integer[] LANGUAGE plpgsql AS $$
DECLARE
    _one broker.holder;
    _held bigint[];
    _told integer[] := '{}';
BEGIN
    PERFORM pg_advisory_xact_lock_shared(27490, 1);
    FOR _one IN SELECT * FROM broker.holder WHERE id = ANY(_holders) ORDER BY id FOR UPDATE LOOP
        _held := ARRAY(
            SELECT message FROM broker.delivery
            WHERE queue = _one.queue AND message <= _one.highest AND holder = _one.id);
        IF cardinality(_held) > 0 THEN
            _told := _told || broker.release(_one.id, _one.queue, _held);
        END IF;
        DELETE FROM broker.holder WHERE id = _one.id;
    END LOOP;
    RETURN _told;
END $$;

CREATE OR REPLACE FUNCTION broker.close_session(_session integer) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _told integer[];
BEGIN
    PERFORM FROM broker.session WHERE id = _session FOR UPDATE;  -- from here on nobody joins it
    _told := broker.leave(ARRAY(SELECT id FROM broker.holder WHERE session = _session));
    DELETE FROM broker.session WHERE id = _session;
    PERFORM broker.announce(ARRAY(SELECT DISTINCT unnest(_told)));
END $$;

-- What nobody asks for and must be done: leases of the gone, messages that have lain too long or are too many,
-- bodies that nobody has. By one process at a time; the others let it be.
CREATE OR REPLACE FUNCTION broker.sweep(_thoroughly boolean) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _session integer;
    _queue broker.queue;
    _old bigint[];
    _newest bigint;
    _told integer[] := '{}';
BEGIN
    IF NOT pg_try_advisory_xact_lock(27490, 3) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock_shared(27490, 1);
    FOR _session IN
        SELECT s.id FROM broker.session s
        WHERE s.last_seen < clock_timestamp() - s.patience OR NOT EXISTS (
            SELECT FROM pg_locks l WHERE l.locktype = 'advisory' AND l.classid = 27491 AND l.objid = s.id::oid
                AND l.objsubid = 2 AND l.granted
                AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database()))
    LOOP
        PERFORM broker.close_session(_session);
    END LOOP;
    FOR _queue IN SELECT * FROM broker.queue WHERE ttl IS NOT NULL OR max_length IS NOT NULL LOOP
        LOOP
            -- From the head: whatever came later expires later.
            _old := ARRAY(
                SELECT head.message FROM (
                    SELECT message, expires FROM broker.delivery
                    WHERE queue = _queue.id AND holder IS NULL ORDER BY message LIMIT 500 FOR UPDATE SKIP LOCKED
                ) head WHERE head.expires <= clock_timestamp());
            EXIT WHEN cardinality(_old) = 0;
            _told := _told || broker.bury(_queue.id, _old, 'expired');
            EXIT WHEN cardinality(_old) < 500;
        END LOOP;
        IF _thoroughly AND _queue.max_length IS NOT NULL THEN
            SELECT message INTO _newest FROM broker.delivery WHERE queue = _queue.id AND holder IS NULL
                ORDER BY message DESC OFFSET _queue.max_length LIMIT 1;
            IF FOUND THEN
                _old := ARRAY(
                    SELECT message FROM broker.delivery WHERE queue = _queue.id AND holder IS NULL
                        AND message <= _newest FOR UPDATE SKIP LOCKED);
                _told := _told || broker.bury(_queue.id, _old, 'maxlen');
            END IF;
        END IF;
    END LOOP;
    PERFORM broker.announce(ARRAY(SELECT DISTINCT unnest(_told)));
END $$;

-- Shared bodies beyond _after that no queue holds, a step at a time; answers where the next step begins.
CREATE OR REPLACE FUNCTION broker.sweep_bodies(_after bigint, _most integer) RETURNS bigint LANGUAGE plpgsql AS $$
DECLARE
    _ids bigint[] := ARRAY(SELECT id FROM broker.message WHERE shared AND id > _after ORDER BY id LIMIT _most);
BEGIN
    PERFORM broker.forget(NULL, _ids);
    RETURN CASE WHEN cardinality(_ids) < _most THEN 0 ELSE _ids[_most] END;
END $$;

-- A process shows that it lives. Answers which of its queues have something ready; NULL when it was given up.
CREATE OR REPLACE FUNCTION broker.beat(_session integer, _queues integer[]) RETURNS integer[] LANGUAGE plpgsql AS $$
BEGIN
    UPDATE broker.session SET last_seen = clock_timestamp()
        WHERE id = _session AND last_seen < clock_timestamp() - patience / 6;
    IF NOT FOUND AND NOT EXISTS (SELECT FROM broker.session WHERE id = _session) THEN
        RETURN NULL;
    END IF;
    RETURN ARRAY(
        SELECT queue FROM unnest(_queues) AS queue WHERE EXISTS (
            SELECT FROM broker.delivery d WHERE d.queue = queue AND d.holder IS NULL
                AND (d.expires IS NULL OR d.expires > clock_timestamp())));
END $$;

-- Whether this session is the one that sweeps often: the oldest alive.
CREATE OR REPLACE FUNCTION broker.first_alive(_session integer) RETURNS boolean LANGUAGE sql AS $$
    SELECT _session = (
        SELECT min(objid::bigint) FROM pg_locks WHERE locktype = 'advisory' AND classid = 27491 AND objsubid = 2
            AND granted AND database = (SELECT oid FROM pg_database WHERE datname = current_database()))
$$;

-- Topology. Each takes the exclusive lock first and counts the version up at the end.

CREATE OR REPLACE FUNCTION broker.declare_exchange(_name text, _kind text, _alternate text, _declared jsonb)
RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _known jsonb;
BEGIN
    SELECT declared INTO _known FROM broker.exchange WHERE name = _name;
    IF NOT FOUND THEN
        PERFORM pg_advisory_xact_lock(27490, 1);
        SELECT declared INTO _known FROM broker.exchange WHERE name = _name;
        IF NOT FOUND THEN
            INSERT INTO broker.exchange VALUES (_name, _kind, _alternate, _declared);
            UPDATE broker.topology SET version = version + 1;
            RETURN;
        END IF;
    END IF;
    IF _known <> _declared AND _known <> '{}' THEN
        RAISE EXCEPTION 'inequivalent arguments for exchange ''%'': received %, but current is %',
            _name, _declared, _known USING ERRCODE = 'KZ406';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION broker.declare_queue(
    _name text, _ttl integer, _dead_exchange text, _dead_key text, _safely boolean, _limit integer,
    _max_length integer, _declared jsonb
) RETURNS void LANGUAGE plpgsql AS $$
DECLARE
    _known jsonb;
BEGIN
    SELECT declared INTO _known FROM broker.queue WHERE name = _name;
    IF NOT FOUND THEN
        PERFORM pg_advisory_xact_lock(27490, 1);
        SELECT declared INTO _known FROM broker.queue WHERE name = _name;
        IF NOT FOUND THEN
            INSERT INTO broker.queue
                (name, ttl, dead_exchange, dead_key, safely, delivery_limit, max_length, declared)
                VALUES (_name, _ttl, _dead_exchange, _dead_key, _safely, _limit, _max_length, _declared);
            UPDATE broker.topology SET version = version + 1;
            RETURN;
        END IF;
    END IF;
    IF _known <> _declared THEN
        RAISE EXCEPTION 'inequivalent arguments for queue ''%'': received %, but current is %',
            _name, _declared, _known USING ERRCODE = 'KZ406';
    END IF;
END $$;

CREATE OR REPLACE FUNCTION broker.bind(
    _source text, _destination text, _to_exchange boolean, _key text, _pattern text, _on boolean
) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF _on AND EXISTS (SELECT FROM broker.binding WHERE (source, destination, to_exchange, key)
        = (_source, _destination, _to_exchange, _key)) THEN
        RETURN;
    END IF;
    PERFORM pg_advisory_xact_lock(27490, 1);
    IF NOT EXISTS (SELECT FROM broker.exchange WHERE name = _source) THEN
        RAISE EXCEPTION 'no exchange ''%''', _source USING ERRCODE = 'KZ404';
    ELSIF _to_exchange AND NOT EXISTS (SELECT FROM broker.exchange WHERE name = _destination) THEN
        RAISE EXCEPTION 'no exchange ''%''', _destination USING ERRCODE = 'KZ404';
    ELSIF NOT _to_exchange AND NOT EXISTS (SELECT FROM broker.queue WHERE name = _destination) THEN
        RAISE EXCEPTION 'no queue ''%''', _destination USING ERRCODE = 'KZ404';
    END IF;
    IF _on THEN
        INSERT INTO broker.binding VALUES (_source, _destination, _to_exchange, _key, _pattern) ON CONFLICT DO NOTHING;
    ELSE
        DELETE FROM broker.binding WHERE (source, destination, to_exchange, key)
            = (_source, _destination, _to_exchange, _key);
    END IF;
    UPDATE broker.topology SET version = version + 1;
END $$;

CREATE OR REPLACE FUNCTION broker.delete_exchange(_name text, _if_unused boolean) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    PERFORM pg_advisory_xact_lock(27490, 1);
    IF _if_unused AND EXISTS (SELECT FROM broker.binding WHERE source = _name) THEN
        RAISE EXCEPTION 'exchange ''%'' in use', _name USING ERRCODE = 'KZ406';
    END IF;
    DELETE FROM broker.exchange WHERE name = _name;
    DELETE FROM broker.binding WHERE source = _name OR (to_exchange AND destination = _name);
    UPDATE broker.topology SET version = version + 1;
END $$;

-- Remove what lies in a queue: all of it, or what nobody holds. Answers how much.
CREATE OR REPLACE FUNCTION broker.empty_queue(_queue integer, _held_too boolean) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    _count integer;
    _own bigint[];
    _shared bigint[];
BEGIN
    WITH gone AS (
        DELETE FROM broker.delivery WHERE queue = _queue AND (_held_too OR holder IS NULL) RETURNING message, shared
    )
    SELECT count(*), array_agg(message) FILTER (WHERE NOT shared), array_agg(message) FILTER (WHERE shared)
        INTO _count, _own, _shared FROM gone;
    PERFORM broker.forget(_own, _shared);
    RETURN _count;
END $$;

-- Answers how many messages went with it; NULL when there was no such queue.
CREATE OR REPLACE FUNCTION broker.delete_queue(_name text, _if_unused boolean, _if_empty boolean) RETURNS integer
LANGUAGE plpgsql AS $$
DECLARE
    _id integer;
    _count integer;
BEGIN
    PERFORM pg_advisory_xact_lock(27490, 1);
    SELECT id INTO _id FROM broker.queue WHERE name = _name;
    IF NOT FOUND THEN
        RETURN NULL;
    ELSIF _if_unused AND EXISTS (SELECT FROM broker.holder WHERE queue = _id) THEN
        RAISE EXCEPTION 'queue ''%'' in use', _name USING ERRCODE = 'KZ406';
    ELSIF _if_empty AND EXISTS (SELECT FROM broker.delivery WHERE queue = _id) THEN
        RAISE EXCEPTION 'queue ''%'' is not empty', _name USING ERRCODE = 'KZ406';
    END IF;
    DELETE FROM broker.holder WHERE queue = _id;  -- first: whoever is about to take from it waits here, then stops
    SELECT count(*) INTO _count FROM broker.delivery WHERE queue = _id AND holder IS NULL;
    PERFORM broker.empty_queue(_id, true);
    DELETE FROM broker.queue WHERE id = _id;
    DELETE FROM broker.binding WHERE NOT to_exchange AND destination = _name;
    UPDATE broker.topology SET version = version + 1;
    PERFORM broker.announce(ARRAY[_id]);
    RETURN _count;
END $$;
