"""PostgreSQL's binary COPY, by hand: a row costs half of what it costs as text, on both sides.

A field is its length and its bytes; a row is its number of fields and the fields. For the hot paths; everything else
writes rows by ``bulk.copy_rows``.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from struct import Struct

from psycopg.types.numeric import DecimalBinaryDumper

HEADER = b"PGCOPY\n\xff\r\n\x00" + bytes(8)
TRAILER = b"\xff\xff"
NULL = b"\xff\xff\xff\xff"
_EPOCH = datetime(2000, 1, 1, tzinfo=UTC)
_length = Struct("!i").pack
_integer = Struct("!iq").pack
_pair = Struct("!iqiq").pack
_small = Struct("!ih").pack
row = Struct("!h").pack  # the head of a row: how many fields follow


def text(value: str | None) -> bytes:
    """text, and JSON that is text already."""
    if value is None:
        return NULL
    encoded = value.encode()
    return _length(len(encoded)) + encoded


def raw(value: bytes | None) -> bytes:
    """bytea or json, as bytes."""
    return NULL if value is None else _length(len(value)) + value


def integer(value: int | None) -> bytes:
    """bigint."""
    return NULL if value is None else _integer(8, value)


def integers(first: int, second: int) -> bytes:
    """Two bigints, one after the other."""
    return _pair(8, first, 8, second)


def instant(value: datetime | None) -> bytes:
    """timestamptz."""
    return NULL if value is None else _integer(8, microseconds(value))


def microseconds(value: datetime) -> int:
    """Since 2000: what a timestamptz holds; ``integer`` makes a field of it."""
    since = value - _EPOCH
    return (since.days * 86_400 + since.seconds) * 1_000_000 + since.microseconds


def small(value: int) -> bytes:
    """smallint."""
    return _small(2, value)


def uuid(value: str | None) -> bytes:
    """uuid, from its text."""
    return NULL if value is None else b"\x00\x00\x00\x10" + bytes.fromhex(value.replace("-", ""))


def number(value: Decimal) -> bytes:
    """numeric."""
    dumped = bytes(DecimalBinaryDumper(Decimal).dump(value) or b"")
    return _length(len(dumped)) + dumped


def copied(rows: Iterable[bytes]) -> bytes:
    """A whole COPY of these rows."""
    return b"".join((HEADER, *rows, TRAILER))
