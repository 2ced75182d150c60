"""Two migration lines per database, run to their heads by one process at a time.

The chassis's line lives in this package and keeps its place in ``chassis.alembic_version``; the service's line ships
in the service's wheel and keeps its own in ``public.alembic_version``. Several replicas may start ``migrate`` at
once: a session advisory lock lets one of them work while the others wait and then find nothing to do.
"""

from __future__ import annotations

from pathlib import Path

from alembic import command, context
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, MetaData, NullPool, create_engine, text
from sqlalchemy.engine import make_url

from chassis.service import Service

CHASSIS_LINE = Path(__file__).resolve().parent.parent / "migrations"
_LOCK = 0x6B657A68  # "kezh": one migration at a time per database


def migrate(service: Service, database_url: str) -> None:
    """Bring the chassis's and then the service's tables to the newest revision. Needs a direct connection."""
    engine = _direct_engine(database_url)
    with engine.connect() as guard, engine.connect() as connection:
        lock = text("SELECT pg_advisory_lock(:key)")
        guard.execution_options(isolation_level="AUTOCOMMIT").execute(lock, {"key": _LOCK})
        connection.execute(text("CREATE SCHEMA IF NOT EXISTS chassis"))
        connection.commit()
        _upgrade(connection, CHASSIS_LINE)
        _upgrade(connection, service.migrations)
    engine.dispose()


def pending(service: Service, engine: Engine) -> list[str]:
    """The heads this code needs and the database has not reached; empty when the process may start."""
    missing = []
    with engine.connect() as connection:
        for line, schema in ((CHASSIS_LINE, "chassis"), (service.migrations, "public")):
            reached = MigrationContext.configure(connection, opts={"version_table_schema": schema}).get_current_heads()
            missing += sorted(set(_script(line).get_heads()) - set(reached))
    return missing


def run_env(metadata: MetaData, schema: str = "public") -> None:
    """The whole body of an ``env.py``: run the revisions over the connection that ``migrate`` opened.

    ``schema`` is where this line's version table lives. Each revision has a transaction of its own, so that one
    that builds an index concurrently may step out of it.
    """
    context.configure(
        connection=context.config.attributes["connection"],
        target_metadata=metadata,
        version_table_schema=schema,
        transaction_per_migration=True,
        compare_type=True,
    )
    with context.begin_transaction():
        context.run_migrations()


def _direct_engine(database_url: str) -> Engine:
    url = make_url(database_url).set(drivername="postgresql+psycopg")
    options = {"application_name": "kezhi-migrate", "options": "-c timezone=UTC", "connect_timeout": 10}
    return create_engine(url, poolclass=NullPool, connect_args=options)


def _script(line: Path) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(line))


def _config(line: Path) -> Config:
    config = Config()
    config.set_main_option("script_location", str(line).replace("%", "%%"))
    return config


def _upgrade(connection: Connection, line: Path) -> None:
    config = _config(line)
    config.attributes["connection"] = connection
    command.upgrade(config, "heads")
    connection.commit()
