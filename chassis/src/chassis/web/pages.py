"""Lists by keyset: each page continues after the last row of the one before, however deep, at the same cost."""

from __future__ import annotations

import uuid
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable, Sequence
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from hashlib import sha256
from typing import Any

import marshmallow as ma
import orjson
from sqlalchemy import ColumnElement, Select, and_, or_, tuple_
from sqlalchemy.orm import Session
from sqlalchemy.sql.elements import UnaryExpression
from sqlalchemy.sql.operators import desc_op

from chassis.errors import Invalid
from chassis.web import fields
from chassis.web.schema import Schema

_WRITE: dict[type, tuple[str, Callable[[Any], Any]]] = {
    datetime: ("t", datetime.isoformat),
    date: ("d", date.isoformat),
    uuid.UUID: ("u", str),
    Decimal: ("n", str),
    bool: ("b", bool),
    int: ("i", int),
    str: ("s", str),
    float: ("f", float),
}
_READ: dict[str, Callable[[Any], Any]] = {
    "t": datetime.fromisoformat,
    "d": date.fromisoformat,
    "u": uuid.UUID,
    "n": Decimal,
    "b": bool,
    "i": int,
    "s": str,
    "f": float,
}


class Page:
    """One page of a list: ``{"items": […], "next": "…" or null}``."""

    @staticmethod
    def of(
        session: Session,
        select: Select[Any],
        order: Sequence[Any],
        limit: int,
        cursor: str | None,
        dump: Callable[[Any], Any] | None = None,
    ) -> dict[str, Any]:
        """Read one page. ``order``: columns (or ``column.desc()``) that are never null and together unique.

        A row of ``select`` is handed to ``dump`` (or left as it is): the entity itself where only one is selected.
        """
        keys = [_column(key) for key in order]
        single = len(select.column_descriptions) == 1
        signature = sha256("|".join(str(key) for key in order).encode()).hexdigest()[:8]
        if cursor is not None:
            select = select.where(_after(keys, _read(cursor, signature, [column for column, _ in keys])))
        statement = select.add_columns(*(column for column, _ in keys)).order_by(*order).limit(limit + 1)
        rows = session.execute(statement).all()
        more, rows = len(rows) > limit, rows[:limit]
        width = len(keys)
        items = [row[0] if single else row[:-width] for row in rows]
        return {
            "items": items if dump is None else [dump(item) for item in items],
            "next": _write(rows[-1][-width:], signature) if more else None,
        }

    @staticmethod
    def schema(item: type[ma.Schema]) -> type[Schema]:
        """The documented shape of a page of ``item``."""
        return _page_schema(item)


@cache
def _page_schema(item: type[ma.Schema]) -> type[Schema]:
    name = item.__name__.removesuffix("Schema") + "PageSchema"
    members = {
        "items": fields.List(fields.Nested(item), required=True),
        "next": fields.String(required=True, allow_none=True, metadata={"description": "cursor of the next page"}),
    }
    return type(name, (Schema,), {**members, "__module__": item.__module__})


def _column(key: Any) -> tuple[ColumnElement[Any], bool]:
    if isinstance(key, UnaryExpression) and key.modifier is desc_op:
        return key.element, True
    return key, False


def _after(keys: list[tuple[ColumnElement[Any], bool]], values: list[Any]) -> ColumnElement[bool]:
    columns = [column for column, _ in keys]
    if len({descending for _, descending in keys}) == 1:
        # A row comparison is one range of the index that serves the order.
        return tuple_(*columns) < tuple_(*values) if keys[0][1] else tuple_(*columns) > tuple_(*values)
    steps = []
    for index, (column, descending) in enumerate(keys):
        beyond = column < values[index] if descending else column > values[index]
        steps.append(and_(*(columns[i] == values[i] for i in range(index)), beyond))
    return or_(*steps)


def _write(values: Sequence[Any], signature: str) -> str:
    parts = []
    for value in values:
        letter, write = next(_WRITE[kind] for kind in type(value).__mro__ if kind in _WRITE)
        parts.append([letter, write(value)])
    return urlsafe_b64encode(orjson.dumps([signature, parts])).decode().rstrip("=")


def _read(cursor: str, signature: str, columns: list[ColumnElement[Any]]) -> list[Any]:
    try:
        signed, parts = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        values = [_READ[letter](value) for letter, value in parts]
        if signed == signature and len(values) == len(columns) and all(map(_fits, values, columns)):
            return values
    except (ValueError, KeyError, TypeError, ArithmeticError, AttributeError):
        pass
    raise Invalid("The cursor is not one of this list", {"cursor": ["not a cursor of this list"]})


def _fits(value: Any, column: ColumnElement[Any]) -> bool:
    """A forged cursor must not reach PostgreSQL with a value its column can't be compared with."""
    if (isinstance(value, str) and "\x00" in value) or (isinstance(value, int) and not -(2**63) <= value < 2**63):
        return False
    return isinstance(value, column.type.python_type)
