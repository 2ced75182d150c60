"""A migrated database for every test, as new: made from a template that each session migrates once per service.

What a test gives back is emptied and lent again: PostgreSQL waits for a checkpoint whenever a database is dropped,
and a thousand tests would spend most of their time there.
"""

from __future__ import annotations

import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import LiteralString

import psycopg
from psycopg import sql
from sqlalchemy import delete
from sqlalchemy.engine import make_url
from sqlalchemy.orm import Session

from chassis.clock import FakeClock
from chassis.messaging.outbox import OutboxRow
from chassis.policies.use_cases import found_policy
from chassis.service import Service
from chassis.settings import Settings
from chassis.storage.engine import make_engine
from chassis.storage.migrations import migrate


def declared(service: Service | Callable[[], Service]) -> Service:
    """A service, whether the test gave it or its ``build_service``."""
    return service if isinstance(service, Service) else service()


Kind = tuple[str, Path, Path | None]  # what makes two databases alike: service, its migrations, the pack in force

# Rows that a new database has (revisions, a pack in force) are kept aside in the template and put back, and so are
# the values of sequences that numbered them.
_KEEP_BASELINE = """
DO $$
DECLARE known record;
BEGIN
    CREATE SCHEMA kezhi_baseline;
    FOR known IN SELECT oid::regclass AS place, relname FROM pg_class
        WHERE relkind IN ('r', 'p') AND NOT relispartition
        AND relnamespace IN ('public'::regnamespace, 'chassis'::regnamespace)
    LOOP
        EXECUTE format('CREATE TABLE kezhi_baseline.%I AS TABLE %s', known.place::text, known.place);
    END LOOP;
    CREATE TABLE kezhi_baseline.counted AS
        SELECT format('%I.%I', schemaname, sequencename) AS place, start_value, last_value FROM pg_sequences;
END $$
"""
# Triggers sleep (replica), because append-only tables refuse to be emptied. Most tables were never written to and have
# no pages; of a partitioned one only its parts would tell.
_EMPTY = """
DO $$
DECLARE known record;
BEGIN
    SET LOCAL session_replication_role = replica;
    SET LOCAL lock_timeout = '5s';
    PERFORM pg_terminate_backend(pid) FROM pg_stat_activity
        WHERE datname = current_database() AND pid <> pg_backend_pid();
    FOR known IN
        SELECT place.oid::regclass AS place, kept.oid AS kept, kept.relname,
            string_agg(quote_ident(attname), ', ') AS given
        FROM pg_class kept
        JOIN pg_class place ON place.oid = to_regclass(kept.relname)
        JOIN pg_attribute ON attrelid = place.oid AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
        WHERE kept.relnamespace = 'kezhi_baseline'::regnamespace
            AND (place.relkind = 'p' OR pg_relation_size(place.oid) + pg_relation_size(kept.oid) > 0)
        GROUP BY place.oid, kept.oid, kept.relname
    LOOP
        EXECUTE format('DELETE FROM %s', known.place);
        IF pg_relation_size(known.kept) > 0 THEN
            EXECUTE format('INSERT INTO %s (%s) OVERRIDING SYSTEM VALUE SELECT %s FROM kezhi_baseline.%I',
                known.place, known.given, known.given, known.relname);
        END IF;
    END LOOP;
    PERFORM setval(place::regclass, coalesce(last_value, start_value), last_value IS NOT NULL)
        FROM kezhi_baseline.counted;
END $$
"""
_LARGEST = 64 * 1024 * 1024  # bytes; a database that grew beyond is cheaper to drop than to empty


@dataclass
class Databases:
    """The databases of one pytest session (one per xdist worker); names are random, so sessions never meet."""

    server: str
    templates: dict[Kind, str] = field(default_factory=dict)
    spare: dict[Kind, list[str]] = field(default_factory=dict)
    lent: dict[str, Kind] = field(default_factory=dict)

    def fresh(self, service: Service, pack: Path | None = None) -> str:
        """The URL of a new database at the newest revision of both lines, governed by ``pack`` if one is given."""
        key = (service.name, service.migrations, pack)
        if spare := self.spare.get(key):
            name = spare.pop()
            self.lent[name] = key
            return self.url(name)
        if key not in self.templates:
            template = f"kezhi_template_{service.name}_{uuid.uuid4().hex[:12]}"
            self.create(template)
            self.templates[key] = template
            migrate(service, self.url(template))
            if pack is not None:
                _found(service, self.url(template), pack)
            self._in(template, _KEEP_BASELINE)
        name = f"kezhi_test_{service.name}_{uuid.uuid4().hex[:12]}"
        self.create(name, template=self.templates[key])
        self.lent[name] = key
        return self.url(name)

    def give_back(self, url: str) -> None:
        """Empty a database of ``fresh`` for the next test; one that can't be emptied is dropped."""
        name = str(make_url(url).database)
        key = self.lent.pop(name)
        if self._emptied(name):
            self.spare.setdefault(key, []).append(name)
        else:
            self.drop(name)

    def _emptied(self, name: str) -> bool:
        try:
            if (self._in(name, "SELECT pg_database_size(current_database())") or _LARGEST) >= _LARGEST:
                return False
            self._in(name, _EMPTY)
        except psycopg.OperationalError:  # somebody holds a lock in it; anything else is a slip of ours
            return False
        return True

    def url(self, name: str) -> str:
        return make_url(self.server).set(database=name).render_as_string(hide_password=False)

    def create(self, name: str, template: str = "template0") -> None:
        self._run("CREATE DATABASE {} TEMPLATE {}", name, template)

    def drop(self, url_or_name: str) -> None:
        """Gone at once, whoever is still connected."""
        name = make_url(url_or_name).database if "://" in url_or_name else url_or_name
        self.lent.pop(str(name), None)
        self._run("DROP DATABASE IF EXISTS {} WITH (FORCE)", str(name))

    def close(self) -> None:
        for name in (*self.templates.values(), *(name for names in self.spare.values() for name in names)):
            self.drop(name)
        self.templates.clear()
        self.spare.clear()

    def _in(self, name: str, statement: LiteralString) -> int | None:
        with psycopg.connect(self.url(name), autocommit=True) as connection:
            done = connection.execute(statement)
            row = done.fetchone() if done.description else None
            return row[0] if row else None

    def _run(self, statement: str, *names: str) -> None:
        with psycopg.connect(self.server, autocommit=True) as connection:
            connection.execute(sql.SQL(statement).format(*map(sql.Identifier, names)))


def _found(service: Service, url: str, pack: Path) -> None:
    """Put the pack in force, as an installation's first start does; its announcement is not the tests' business."""
    engine = make_engine(Settings(service.name, database_url=url, amqp_url=""))
    clock = FakeClock()
    with Session(engine, info={"service": service.name, "clock": clock}) as session:
        found_policy(session, service, pack, clock)
        session.execute(delete(OutboxRow))
        session.commit()
    engine.dispose()
