"""The broker's tables and functions, made and upgraded by whoever starts first; repeatable, also at the same moment.

Tables have a version and steps between versions (``tables.sql`` is version 1). Functions are replaced as a whole
whenever their text changed. Tables that a newer release made are left as they are.
"""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path

import psycopg

from chassis.messaging.embedded.address import Address
from chassis.messaging.embedded.trouble import as_trouble

_HERE = Path(__file__).parent
STEPS = ("tables.sql",)  # step n makes version n + 1


_DROP_FUNCTIONS = """
    DO $$
    DECLARE old regprocedure;
    BEGIN
        FOR old IN SELECT oid::regprocedure FROM pg_proc WHERE pronamespace = 'broker'::regnamespace LOOP
            EXECUTE 'DROP FUNCTION ' || old;
        END LOOP;
    END $$
"""


def prepare(url: str) -> None:
    """Bring the database to this release's version. Raises BrokerAway."""
    functions = (_HERE / "functions.sql").read_text(encoding="utf-8")
    fingerprint = sha256(functions.encode()).hexdigest()
    try:
        with psycopg.connect(Address.of(url).conninfo, connect_timeout=10) as connection:
            connection.execute("SELECT pg_advisory_xact_lock(27490, 2)")
            connection.execute("SET LOCAL client_min_messages = warning")
            connection.execute("CREATE SCHEMA IF NOT EXISTS broker")
            connection.execute("CREATE TABLE IF NOT EXISTS broker.made (version integer, functions text)")
            row = connection.execute("SELECT version, functions FROM broker.made").fetchone()
            version, known = row or (0, "")
            if version > len(STEPS) or (version, known) == (len(STEPS), fingerprint):
                return
            for step in STEPS[version:]:
                connection.execute((_HERE / step).read_text(encoding="utf-8").encode())
            connection.execute(_DROP_FUNCTIONS)  # one that answers otherwise can't be replaced
            connection.execute(functions.encode())
            connection.execute("DELETE FROM broker.made")
            connection.execute("INSERT INTO broker.made VALUES (%s, %s)", (len(STEPS), fingerprint))
    except psycopg.Error as error:
        raise as_trouble(error) from error
