"""Many rows in one statement: the hot paths write sets, not rows."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from psycopg import sql
from sqlalchemy.orm import Session


def copy_rows(session: Session, table: str, columns: Sequence[str], rows: Iterable[Sequence[Any]]) -> None:
    """COPY ``rows`` into ``table`` (``name`` or ``schema.name``) inside the session's transaction.

    The quickest way into PostgreSQL; it knows no ON CONFLICT, so claims are made elsewhere. JSON goes in as text.
    """
    target = sql.SQL(".").join(sql.Identifier(part) for part in table.split("."))
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(target, sql.SQL(",").join(map(sql.Identifier, columns)))
    session.flush()
    with session.connection().connection.cursor() as cursor, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)
