"""Both migration lines reach their heads, once, however many replicas start at the same moment."""

from __future__ import annotations

import subprocess
import sys
import uuid
from pathlib import Path

from sqlalchemy import create_engine, inspect, text
from sqlalchemy.engine import make_url

from chassis.service import Service
from chassis.storage.migrations import pending
from chassis.storage.schema import ChassisBase

SERVICE = Service("letters", "Letters", "1", Path(__file__).parent / "sample_migrations")


def engine_of(url):
    return create_engine(make_url(url).set(drivername="postgresql+psycopg"))


REPLICA = """
import sys
from pathlib import Path
from chassis.service import Service
from chassis.storage.migrations import migrate
migrate(Service("letters", "Letters", "1", Path(sys.argv[1])), sys.argv[2])
"""


def test_replicas_that_start_at_once_migrate_once(databases):
    databases.create(name := f"kezhi_test_race_{uuid.uuid4().hex[:12]}")
    url = databases.url(name)
    engine = engine_of(url)
    try:
        assert pending(SERVICE, engine) == ["c005_guard", "s001_letters"]

        command = [sys.executable, "-c", REPLICA, str(SERVICE.migrations), url]
        replicas = [subprocess.Popen(command) for _ in range(3)]

        assert [replica.wait(60) for replica in replicas] == [0, 0, 0]
        assert pending(SERVICE, engine) == []
        assert "letter" in inspect(engine).get_table_names()
    finally:
        engine.dispose()
        databases.drop(name)


def test_the_chassis_tables_in_the_database_are_those_of_the_code(fresh_database):
    engine = engine_of(fresh_database(SERVICE))
    seen = inspect(engine)
    for table in ChassisBase.metadata.sorted_tables:
        columns = {column["name"]: column["nullable"] for column in seen.get_columns(table.name, schema="chassis")}
        assert columns == {column.name: column.nullable for column in table.columns}, table.name
    engine.dispose()


def test_each_test_gets_a_database_of_its_own(fresh_database):
    first, second = fresh_database(SERVICE), fresh_database(lambda: SERVICE)
    assert first != second
    one, other = engine_of(first), engine_of(second)
    with one.begin() as connection:
        connection.execute(text("INSERT INTO letter VALUES (1, 'a')"))
    with other.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM letter")).scalar_one() == 0
    one.dispose()
    other.dispose()
