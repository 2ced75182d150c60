"""Many rows in one statement: new ones of several tables, or states of one table that replace older ones.

The unit of work sends one statement per table and works out an order first; a transaction that opens something of many
parts (a case with its clocks, its history and its events) pays for each. Here each table's rows travel as one JSON
array, which PostgreSQL takes apart by the table's own types. Foreign keys among them hold: they are checked when the
statement has ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from functools import cache
from typing import Any, cast

import orjson
from sqlalchemy import Column, Dialect, Table, inspect
from sqlalchemy.orm import DeclarativeBase, Session, make_transient_to_detached
from sqlalchemy.orm.attributes import set_committed_value
from sqlalchemy.types import TypeDecorator


def write_new(session: Session, things: Sequence[DeclarativeBase], then: str = "SELECT 1") -> None:
    """Insert ``things``, which no session knows yet; ``then`` ends the statement (a hint to a listener).

    Those whose key is known are the session's afterwards, as if it had flushed them. What the session itself has not
    flushed is flushed before.
    """
    session.flush()
    connection = session.connection()
    by_class: dict[type[DeclarativeBase], list[dict[str, Any]]] = {}
    for thing in things:
        by_class.setdefault(type(thing), []).append(_row(thing, connection.dialect))
    rows = {f"rows_{place}": _json(rows) for place, rows in enumerate(by_class.values())}
    connection.exec_driver_sql(_statement(tuple(by_class), then), rows)
    for thing in things:
        if all(column.identity is None for column in _table(type(thing)).primary_key):
            make_transient_to_detached(thing)
            session.add(thing)


def write_newer(session: Session, class_: type[DeclarativeBase], rows: Sequence[Mapping[str, Any]]) -> set[Any]:
    """Write states by their primary key (one column), each unless a state of its ``version`` or newer is kept.

    ``rows``: attributes by name, each key once, the same names in all; in their order rows are locked. Answers the
    keys that were written.
    """
    if not rows:
        return set()
    connection = session.connection()
    columns = {name: inspect(class_).columns[name] for name in rows[0]}
    told = [
        {column.name: _bound(column, row[name], connection.dialect) for name, column in columns.items()} for row in rows
    ]
    statement = _newer(class_, tuple(column.name for column in columns.values()))
    return {key for (key,) in connection.exec_driver_sql(statement, {"rows": _json(told)})}


@cache
def _newer(class_: type[DeclarativeBase], names: tuple[str, ...]) -> str:
    table = _table(class_)
    (key,) = (column.name for column in table.primary_key)
    listed = ", ".join(f'"{name}"' for name in names)
    given = ", ".join(f'"{name}" = excluded."{name}"' for name in names if name != key)
    return (
        f"INSERT INTO {table.fullname} AS kept ({listed}) SELECT {listed} FROM"  # noqa: S608 - names of our own tables
        f" json_populate_recordset(NULL::{table.fullname}, %(rows)s::json) WITH ORDINALITY ORDER BY ordinality"
        f' ON CONFLICT ("{key}") DO UPDATE SET {given} WHERE kept.version < excluded.version RETURNING "{key}"'
    )


@cache
def _statement(classes: tuple[type[DeclarativeBase], ...], then: str) -> str:
    parts = []
    for place, class_ in enumerate(classes):
        table = _table(class_).fullname
        names = ", ".join(f'"{column.name}"' for _, column in _written(class_))
        parts.append(
            f"new_{place} AS (INSERT INTO {table} ({names}) SELECT {names} FROM"  # noqa: S608 - names of our own tables
            f" json_populate_recordset(NULL::{table}, %(rows_{place})s::json) WITH ORDINALITY ORDER BY ordinality)"
        )
    return f"WITH {', '.join(parts)} {then}"


@cache
def _written(class_: type[DeclarativeBase]) -> tuple[tuple[str, Column[Any]], ...]:
    """The columns that a new row brings along, by their attributes; the others are the database's to fill."""
    mapper = inspect(class_)
    return tuple(
        (mapper.get_property_by_column(column).key, column)
        for column in _table(class_).columns
        if column.computed is None
        and column.identity is None
        and (column.server_default is None or column.default is not None)
    )


def _table(class_: type[DeclarativeBase]) -> Table:
    return cast(Table, class_.__table__)


def _row(thing: DeclarativeBase, dialect: Dialect) -> dict[str, Any]:
    given = thing.__dict__
    row = {}
    for name, column in _written(type(thing)):
        if name not in given:  # known from now on, so that nobody asks the database for it
            set_committed_value(thing, name, _default(column.default))
        row[column.name] = _bound(column, given[name], dialect)
    return row


def _bound(column: Column[Any], value: Any, dialect: Dialect) -> Any:
    return column.type.process_bind_param(value, dialect) if isinstance(column.type, TypeDecorator) else value


def _default(default: Any) -> Any:
    if default is None:
        return None
    return default.arg(None) if default.is_callable else default.arg


def _json(rows: list[dict[str, Any]]) -> str:
    return orjson.dumps(rows, default=_plainly).decode()


def _plainly(value: Any) -> str:
    """What JSON lacks, as PostgreSQL reads it."""
    if isinstance(value, bytes):
        return f"\\x{value.hex()}"
    if isinstance(value, Decimal | str):  # a Secret is a text of its own class
        return str(value)
    raise TypeError(f"{type(value).__name__} can't be written")
