"""Columns that are unreadable in the database, its backups and its logs.

A column of type ``Encrypted`` holds a Fernet token (AES-128-CBC with HMAC-SHA256). The keys come from
``KEZHI_FIELD_KEYS``, newest first: the first one writes, all of them read. To rotate, put a new key in front,
restart, run ``python -m <service> rekey``, then remove the old key. Equal texts give different tokens, so such a
column can't be searched or made unique.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from sqlalchemy import Column, Dialect, Engine, Table, Text, select, tuple_, type_coerce, update
from sqlalchemy.orm import DeclarativeBase, Session, sessionmaker
from sqlalchemy.types import TypeDecorator


class NoFieldKeys(Exception):
    """An encrypted column was touched by a process that was given no key, or only wrong ones."""


class Secret(str):
    """A decrypted text. Usable as text; its repr, which is what tracebacks and logs show, stays silent."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "Secret('…')"


class Keyring:
    """The keys of one process; the newest writes, all read."""

    def __init__(self, keys: Sequence[str]) -> None:
        try:
            fernets = [Fernet(key) for key in keys]
        except ValueError:
            raise NoFieldKeys("KEZHI_FIELD_KEYS: each key is 32 bytes in URL-safe base64 (44 characters)") from None
        self._fernets = fernets

    def encrypt(self, text: str) -> str:
        return self._ready().encrypt(text.encode()).decode()

    def decrypt(self, token: str) -> Secret:
        try:
            return Secret(self._ready().decrypt(token).decode())
        except InvalidToken:
            raise NoFieldKeys("none of KEZHI_FIELD_KEYS reads this value: was a key removed too early?") from None

    def is_current(self, token: str) -> bool:
        """Whether the newest key wrote this token."""
        try:
            self._fernets[0].decrypt(token)
        except InvalidToken:
            return False
        return True

    def rotate(self, token: str) -> str:
        return self._ready().rotate(token).decode()

    def _ready(self) -> MultiFernet:
        if not self._fernets:
            raise NoFieldKeys("set KEZHI_FIELD_KEYS: this service stores encrypted fields")
        return MultiFernet(self._fernets)


class Encrypted(TypeDecorator[str]):
    """A text that only processes with the field keys can read."""

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:
        return None if value is None else keyring(dialect).encrypt(value)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Secret | None:
        return None if value is None else keyring(dialect).decrypt(value)


def attach(engine: Engine, keys: Sequence[str]) -> None:
    """Give an engine its keys; two processes' engines in one test each keep their own."""
    engine.dialect.kezhi_keyring = Keyring(keys)  # type: ignore[attr-defined]


def keyring(dialect: Dialect) -> Keyring:
    """The keys that were attached to the engine of this dialect."""
    return getattr(dialect, "kezhi_keyring", None) or Keyring(())


def encrypted_columns() -> Iterator[Column[Any]]:
    """Every encrypted column that this process maps."""
    for base in DeclarativeBase.__subclasses__():
        if "metadata" in base.__dict__:
            for table in base.metadata.tables.values():
                yield from (column for column in table.columns if isinstance(column.type, Encrypted))


def rekey(sessions: sessionmaker[Session], column: Column[Any], batch: int = 500) -> int:
    """Rewrite what older keys wrote in ``column``, ``batch`` rows a transaction; how many were rewritten.

    Runs beside the living service: a row that changes meanwhile was written by the newest key and is left alone.
    """
    table: Table = column.table
    keys = list(table.primary_key.columns)
    stored = type_coerce(column, Text)
    rewritten, after = 0, None
    while True:
        with sessions.begin() as session:
            page = select(*keys, stored).where(column.is_not(None)).order_by(*keys).limit(batch)
            if after is not None:
                page = page.where(tuple_(*keys) > tuple_(*after))
            rows = session.execute(page).all()
            if not rows:
                return rewritten
            ring = keyring(session.get_bind().dialect)
            for *key, token in rows:
                if not ring.is_current(token):
                    same = [one == value for one, value in zip(keys, key, strict=True)]
                    change = update(table).where(*same, stored == token)
                    fresh = type_coerce(ring.rotate(token), Text)
                    rewritten += session.execute(change.values({column: fresh})).rowcount  # type: ignore[attr-defined]
            after = tuple(rows[-1][:-1])
