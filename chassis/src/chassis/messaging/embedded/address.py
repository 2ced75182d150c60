"""What a URL of the embedded broker says: where the database is, as whom, and how patient others are with us."""

from __future__ import annotations

from dataclasses import dataclass
from urllib.parse import parse_qsl, unquote, urlencode, urlsplit, urlunsplit

_PATIENCE = 60.0  # seconds that a process may freeze before others get what it holds


@dataclass(frozen=True)
class Address:
    """``kezhi+postgresql://user:password@host:port/database?patience=60``; further parameters are libpq's."""

    conninfo: str
    user: str
    patience: float

    @classmethod
    def of(cls, url: str) -> Address:
        """Read a URL, with or without ``kezhi+``."""
        parts = urlsplit(url.removeprefix("kezhi+"))
        told = dict(parse_qsl(parts.query))
        patience = float(told.pop("patience", _PATIENCE))
        conninfo = urlunsplit(parts._replace(query=urlencode(told)))
        return cls(conninfo, unquote(parts.username or ""), patience)
