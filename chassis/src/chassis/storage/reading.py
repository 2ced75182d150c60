"""Reading past the unit of work: connections in autocommit that can't write, and selects compiled once.

A statement alone is its own snapshot, so BEGIN and COMMIT around it win nothing and cost two round trips; and the
rows of the hottest resources go straight into JSON, so nothing has to track them. What a change must know before it
decides is read the same way within its own transaction (``within``).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from psycopg import Cursor
from sqlalchemy import Dialect, Engine, Select
from sqlalchemy.dialects.postgresql.psycopg import PGDialect_psycopg
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator

_DIALECT = PGDialect_psycopg()


class RowReader:
    """A select, compiled when it is declared. Bind what varies: ``where(T.id == bindparam("id"))``.

    Rows are dicts by the select's labels; types that decode (an encrypted column) do so here too.
    """

    def __init__(self, statement: Select[Any]) -> None:
        compiled = statement.compile(dialect=_DIALECT)
        self.sql = str(compiled)
        self.fixed = {name: value for name, value in compiled.params.items() if value is not None}
        columns = statement.selected_columns
        self._names = [str(column.key) for column in columns]
        # The driver delivers PostgreSQL's types as Python's; only what this house decorates is left to decode.
        self._decoded = [(str(column.key), column.type) for column in columns if isinstance(column.type, TypeDecorator)]

    def first(self, engine: Engine, parameters: dict[str, Any]) -> dict[str, Any] | None:
        """The first row, or None."""
        connection = engine.raw_connection()
        try:
            driver: Any = connection.driver_connection
            cursor: Cursor[Any] = driver.execute(self.sql, {**self.fixed, **parameters} if self.fixed else parameters)
            found = cursor.fetchone()
        except BaseException:
            connection.invalidate()
            raise
        finally:
            connection.close()
        return None if found is None else self._row(found, engine.dialect)

    def within(self, session: Session, parameters: dict[str, Any]) -> list[dict[str, Any]]:
        """All rows, as the running transaction sees them; what the session hasn't flushed yet is not among them."""
        connection = session.connection()
        found = connection.exec_driver_sql(self.sql, {**self.fixed, **parameters})
        return [self._row(row, connection.dialect) for row in found.all()]

    def _row(self, found: Sequence[Any], dialect: Dialect) -> dict[str, Any]:
        row = dict(zip(self._names, found, strict=True))
        for name, type_ in self._decoded:
            row[name] = type_.process_result_value(row[name], dialect)
        return row
