"""One database and two roles per service on the company's PostgreSQL server.

The owner role owns the tables and migrates them; the service's own role may read and write rows but cannot change
the schema, so that revoking UPDATE on the ledger binds the service itself.
"""

from __future__ import annotations

import psycopg
from psycopg import sql
from sqlalchemy.engine import make_url

from kezhi.installation import SERVICES, Installation


class ServerUnreachable(Exception):
    """PostgreSQL does not answer under the given URL."""


def _connect(pg_url: str, database: str | None = None) -> psycopg.Connection:
    url = make_url(pg_url).set(drivername="postgresql")
    if database:
        url = url.set(database=database)
    try:
        return psycopg.connect(url.render_as_string(hide_password=False), autocommit=True, connect_timeout=10)
    except psycopg.OperationalError as refused:
        raise ServerUnreachable(f"PostgreSQL at {url.render_as_string()} does not answer: {refused}") from None


def create_databases(installation: Installation) -> list[str]:
    """Create what is missing of roles and databases; answers the names of new databases. Repeatable."""
    password = installation.home.secrets()["database"]
    created = []
    with _connect(installation.configuration.pg_url) as server:
        for service in SERVICES:
            name, owner = installation.database_name(service), installation.owner_name(service)
            _give_role(server, name, password)
            _give_role(server, owner, password)
            if _give_database(server, name, owner):
                created.append(name)
            _grant(installation, service)
        if installation.configuration.embedded_broker:
            name = installation.configuration.broker_database
            _give_role(server, name, password)  # one role: the broker's code runs inside of the services' processes
            if _give_database(server, name, name):
                created.append(name)
    return created


def _give_role(server: psycopg.Connection, name: str, password: str) -> None:
    known = server.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [name]).fetchone()
    verb = sql.SQL("ALTER" if known else "CREATE")
    server.execute(sql.SQL("{} ROLE {} LOGIN PASSWORD {}").format(verb, sql.Identifier(name), sql.Literal(password)))


def _give_database(server: psycopg.Connection, name: str, owner: str) -> bool:
    if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
        return False
    # A server that is no superuser may only give databases to roles it belongs to.
    server.execute(sql.SQL("GRANT {} TO CURRENT_USER").format(sql.Identifier(owner)))
    server.execute(
        sql.SQL("CREATE DATABASE {} OWNER {} TEMPLATE template0 ENCODING 'UTF8'").format(
            sql.Identifier(name), sql.Identifier(owner)
        )
    )
    return True


def _grant(installation: Installation, service: str) -> None:
    role, owner = (
        sql.Identifier(installation.database_name(service)),
        sql.Identifier(installation.owner_name(service)),
    )
    with _connect(installation.configuration.pg_url, installation.database_name(service)) as database:
        for statement in (
            "REVOKE ALL ON SCHEMA public FROM PUBLIC",
            "GRANT ALL ON SCHEMA public TO {owner}",
            "GRANT USAGE ON SCHEMA public TO {role}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE ON SCHEMAS TO {role}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {role}",
            "ALTER DEFAULT PRIVILEGES FOR ROLE {owner} GRANT USAGE, SELECT ON SEQUENCES TO {role}",
        ):
            database.execute(sql.SQL(statement).format(role=role, owner=owner))


def drop_databases(installation: Installation) -> list[str]:
    """Remove exactly this installation's databases and roles; answers the names that were there."""
    ours = {installation.database_name(service): installation.owner_name(service) for service in SERVICES}
    broker = installation.configuration.broker_database
    dropped = []
    with _connect(installation.configuration.pg_url) as server:
        for name, owner in {**ours, broker: broker}.items():
            if server.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone():
                server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(sql.Identifier(name)))
                dropped.append(name)
            for role in {name, owner}:
                server.execute(sql.SQL("DROP ROLE IF EXISTS {}").format(sql.Identifier(role)))
    return dropped


def occupied_databases(installation: Installation) -> list[str]:
    """Those of this installation's databases that hold tables."""
    names = [installation.database_name(service) for service in SERVICES]
    if installation.configuration.embedded_broker:
        names.append(installation.configuration.broker_database)
    occupied = []
    with _connect(installation.configuration.pg_url) as server:
        known = server.execute("SELECT datname FROM pg_database WHERE datname = ANY(%s)", [names]).fetchall()
    for (name,) in known:
        with _connect(installation.configuration.pg_url, name) as database:
            if database.execute(
                "SELECT 1 FROM pg_class WHERE relkind IN ('r', 'p') AND relnamespace NOT IN"
                " (SELECT oid FROM pg_namespace WHERE nspname LIKE 'pg\\_%' OR nspname = 'information_schema')"
            ).fetchone():
                occupied.append(name)
    return occupied


def server_version(pg_url: str) -> int:
    """The major version of the server. Raises ServerUnreachable."""
    with _connect(pg_url) as server:
        return server.info.server_version // 10_000
