"""Fields that mean the same in every service, and are documented as they behave.

What apispec would tell wrongly of marshmallow's own (a Decimal as a number, a lenient date) is told rightly here.
"""

from __future__ import annotations

import re
import uuid
from datetime import UTC, date, datetime
from decimal import Decimal
from typing import Any

import marshmallow as ma
from marshmallow.fields import Constant, Dict, Enum, Field, List, Mapping, Nested, Raw, String

__all__ = [
    "Choice", "Constant", "Day", "Dict", "Enum", "Field", "Flag", "Instant", "List", "Mapping", "Money", "Nested",
    "Points", "Quantity", "Raw", "String", "Text", "Uuid", "Whole",
]  # fmt: skip

_INSTANT = re.compile(r"^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)$", re.ASCII)
_DAY = re.compile(r"^\d{4}-\d\d-\d\d$", re.ASCII)
_UUID = re.compile(r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$")
SAFE_INTEGER = 2**53 - 1  # what every JSON reader keeps exactly


def _documented(kwargs: dict[str, Any], **schema: Any) -> dict[str, Any]:
    kwargs["metadata"] = {**schema, **kwargs.get("metadata", {})}
    return kwargs


class Text(ma.fields.String):
    """Text of at most ``max`` characters, stripped; empty only if ``blank``. PostgreSQL stores no NUL."""

    def __init__(self, max: int = 200, *, blank: bool = False, **kwargs: Any) -> None:
        self.max, self.blank = max, blank
        pattern = r"^[^\u0000]*$" if blank else r"^[^\u0000]*[^\s\u0000][^\u0000]*$"
        least = {} if blank else {"minLength": 1}
        super().__init__(**_documented(kwargs, maxLength=max, pattern=pattern, **least))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str):
            raise ma.ValidationError("must be a text")
        if len(value) > self.max:
            raise ma.ValidationError(f"at most {self.max} characters")
        if "\x00" in value:
            raise ma.ValidationError("must not contain the NUL character")
        value = value.strip()
        if not value and not self.blank:
            raise ma.ValidationError("must not be empty")
        return value


class Line(Text):
    """One line of text: no control characters, so that it fits every event and every label."""

    def __init__(self, max: int, **kwargs: Any) -> None:
        pattern = r"^[^\u0000-\u001f]*[^\s\u0000-\u001f][^\u0000-\u001f]*$"
        super().__init__(max, **kwargs | {"metadata": {"pattern": pattern} | kwargs.get("metadata", {})})

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        line = super()._deserialize(value, attr, data, **kwargs)
        if any(character < " " for character in value):
            raise ma.ValidationError("must be one line without control characters")
        return line


class Choice(ma.fields.Field[str]):
    """One of a few words."""

    def __init__(self, *words: str, **kwargs: Any) -> None:
        self.words = words
        nothing = kwargs.get("allow_none", kwargs.get("load_default", ...) is None)  # as marshmallow takes it
        super().__init__(**_documented(kwargs, type="string", enum=[*words, None] if nothing else list(words)))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or value not in self.words:
            raise ma.ValidationError(f"must be one of: {', '.join(self.words)}")
        return value


class Money(ma.fields.Field[Decimal]):
    """An amount as a decimal string (``"256.00"``) with at most ``places`` decimals, in both directions."""

    shown = 2  # decimals that are always written

    def __init__(self, places: int = 4, *, min: str | None = None, **kwargs: Any) -> None:
        self.places, self.min = places, None if min is None else Decimal(min)
        sign = "" if self.min is not None and self.min >= 0 else "-?"
        self.pattern = rf"^{sign}[0-9]{{1,15}}(\.[0-9]{{1,{places}}})?$"
        self.reads = re.compile(self.pattern + r"(?!\n)", re.ASCII)
        super().__init__(**_documented(kwargs, type="string", pattern=self.pattern, examples=["256.00"]))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> Decimal:
        if not isinstance(value, str) or not self.reads.match(value):
            raise ma.ValidationError(f'must be a decimal string with at most {self.places} decimals, e.g. "256.00"')
        amount = Decimal(value)
        if self.min is not None and amount < self.min:
            raise ma.ValidationError(f"must be at least {self.min}")
        return amount

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else plain(Decimal(value), self.shown)


class Quantity(Money):
    """A quantity as a decimal string."""

    shown = 0


class Whole(ma.fields.Field[int]):
    """An integer between ``min`` and ``max``; the defaults fit PostgreSQL's ``integer``."""

    def __init__(self, min: int = -(2**31), max: int = 2**31 - 1, **kwargs: Any) -> None:
        self.min, self.max = min, max
        super().__init__(**_documented(kwargs, type="integer", minimum=min, maximum=max))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> int:
        if isinstance(value, str) and _from_query(self) and re.fullmatch(r"-?[0-9]{1,19}", value):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if not isinstance(value, int) or isinstance(value, bool):
            raise ma.ValidationError("must be a whole number")
        if not self.min <= value <= self.max:
            raise ma.ValidationError(f"must be between {self.min} and {self.max}")
        return value


class Points(Whole):
    """A number of points (BIGINT in the database, exact in every JSON reader)."""

    def __init__(self, min: int = -SAFE_INTEGER, max: int = SAFE_INTEGER, **kwargs: Any) -> None:
        super().__init__(min, max, **kwargs)


class Flag(ma.fields.Field[bool]):
    """True or false; in a query ``true`` or ``false``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_documented(kwargs, type="boolean"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> bool:
        if isinstance(value, str) and _from_query(self) and value in ("true", "false"):
            return value == "true"
        if not isinstance(value, bool):
            raise ma.ValidationError("must be true or false")
        return value


class Instant(ma.fields.Field[datetime]):
    """An RFC 3339 instant; read with any offset, kept and written in UTC."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_documented(kwargs, type="string", format="date-time"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        if not isinstance(value, str) or not _INSTANT.match(value):
            raise ma.ValidationError("must be an RFC 3339 instant with its offset, e.g. 2026-11-21T09:30:00+08:00")
        try:
            return datetime.fromisoformat(value.upper()).astimezone(UTC)
        except (ValueError, OverflowError):
            raise ma.ValidationError("names no instant of the calendar") from None

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else value if isinstance(value, str) else instant(value)


class Day(ma.fields.Field[date]):
    """A calendar day, ``2026-11-21``."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_documented(kwargs, type="string", format="date"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        try:
            if isinstance(value, str) and _DAY.match(value):
                return date.fromisoformat(value)
        except ValueError:
            pass
        raise ma.ValidationError("must be a day of the calendar, e.g. 2026-11-21")

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


class Uuid(ma.fields.Field[uuid.UUID]):
    """An id in its usual writing, 8-4-4-4-12."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**_documented(kwargs, type="string", format="uuid"))

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> uuid.UUID:
        if not isinstance(value, str) or not _UUID.match(value):
            raise ma.ValidationError("must be an id like 0192d3c4-0000-7000-8000-000000000000")
        return uuid.UUID(value)

    def _serialize(self, value: Any, attr: str | None, obj: Any, **kwargs: Any) -> str | None:
        return None if value is None else str(value)


def plain(value: Decimal, decimals: int = 2) -> str:
    """Without exponent or idle zeros, but with at least ``decimals`` decimals: 12.5000 → ``12.50``."""
    whole, _, fraction = format(value, "f").partition(".")
    fraction = fraction.rstrip("0").ljust(decimals, "0")
    return f"{whole}.{fraction}" if fraction else whole


def instant(at: datetime) -> str:
    """An aware datetime as it is written everywhere: UTC with ``Z``."""
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


def _from_query(field: ma.fields.Field[Any]) -> bool:
    return bool(getattr(field.root, "from_query", False))
