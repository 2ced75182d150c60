"""Whether an event is right, and if not, what is wrong where: marshmallow schemas made from the JSON Schemas.

``validate`` says the same as any JSON Schema validator with format checks would (``contracts/tests`` prove it
on thousands of spoilt examples), in sentences and by path, and then asks what a schema can't: whether the
lines of a purchase add up. The schemas use a closed set of keywords, so that this file stays small.
"""

from __future__ import annotations

import json
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, datetime
from decimal import Decimal
from functools import cache
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields

from kezhi_contracts import schemas

Node = Mapping[str, Any]
CENT = Decimal("0.01")


class Unreadable(ValueError):
    """A body that is no JSON text."""


def parse(body: bytes | str) -> Any:
    """Read a body strictly: UTF-8, no NaN or Infinity, no unpaired surrogates. Raises Unreadable."""
    try:
        text = body.decode("utf-8") if isinstance(body, bytes) else body
        document = json.loads(text, parse_constant=_no_number)
        json.dumps(document, ensure_ascii=False).encode("utf-8")
    except RecursionError:
        raise Unreadable("nested too deeply") from None
    except UnicodeError as wrong:
        raise Unreadable(f"not UTF-8: {wrong}") from None
    except ValueError as wrong:
        raise Unreadable(f"not JSON: {wrong}") from None
    return document


def validate(event: Any) -> dict[str, list[str]]:
    """What is wrong with an event by path, e.g. ``{"data.lines.0.sku": ["is missing"]}``; empty: right."""
    return against_schema(event) or _beyond_the_schema(event)


def against_schema(event: Any) -> dict[str, list[str]]:
    """What the JSON Schema of its type says of an event; an unknown type is an error of ``type``."""
    if not isinstance(event, dict):
        return {"": ["must be an object"]}
    type_ = event.get("type")
    if not isinstance(type_, str):
        return {"type": ["must name the event's type, e.g. purchase.completed.v1"]}
    try:
        check = _checker(type_)
    except schemas.UnknownType as unknown:
        return {"type": [str(unknown)]}
    try:
        check.deserialize(event)
    except ValidationError as wrong:
        return {".".join(path): messages for path, messages in _flat(wrong.messages)}
    return {}


def _beyond_the_schema(event: dict[str, Any]) -> dict[str, list[str]]:
    if event["type"] != "purchase.completed.v1":
        return {}
    data = event["data"]
    total, lines = Decimal(data["total"]), data.get("lines") or []
    added = sum((Decimal(line["amount"]) for line in lines), Decimal(0))
    if lines and abs(total - added) > CENT:
        return {"data.total": [f"is {total}, but the lines add up to {added}"]}
    return {}


def _no_number(text: str) -> Any:
    raise ValueError(f"{text} is no JSON number")


def _flat(messages: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], list[str]]]:
    """Nested messages as (path, sentences); what an object says of itself stands under ``_schema``."""
    if isinstance(messages, dict):
        for key, inner in messages.items():
            yield from _flat(inner, path if key == "_schema" else (*path, str(key)))
    else:
        yield path, list(messages)


@cache
def _checker(type_: str) -> fields.Field:
    return _field(schemas.document(type_), required=True)


@cache
def _meaning(pattern: str) -> str:
    """The words of the shared piece that a pattern comes from: they help more than the pattern."""
    for piece in schemas.pieces().values():
        if piece.get("pattern") == pattern and piece["type"] == "string":
            return str(piece["description"])
    return f"must match {pattern}"


def _field(node: Node, *, required: bool) -> fields.Field:
    kinds = [node["type"]] if isinstance(node["type"], str) else node["type"]
    kind = next(kind for kind in kinds if kind != "null")
    return _KINDS[kind](node, required=required, allow_none="null" in kinds)


class _Checked(fields.Field[Any], ABC):
    """A field that keeps the value as it came and only says what is wrong with it."""

    default_error_messages = {"required": "is missing", "null": "must not be null"}  # noqa: RUF012

    def __init__(self, node: Node, *, required: bool, allow_none: bool) -> None:
        super().__init__(required=required, allow_none=allow_none)
        self.node = node

    def _deserialize(self, value: Any, attr: str | None, data: Any, **_: Any) -> Any:
        messages = self.complaints(value)
        if messages:
            raise ValidationError(messages)
        return value

    @abstractmethod
    def complaints(self, value: Any) -> Any:
        """Sentences, or a dict of them by key."""


class _Text(_Checked):
    def complaints(self, value: Any) -> list[str]:
        node = self.node
        if not isinstance(value, str):
            return ["must be a text"]
        if "const" in node and value != node["const"]:
            return [f"must be {node['const']}"]
        if "enum" in node and value not in node["enum"]:
            return [f"must be one of {', '.join(word for word in node['enum'] if word)}"]
        if not _within(node, "Length", len(value)):
            return [_bounds(node, "Length", "characters")]
        # Every pattern is anchored (a test sees to it); Python's $ would also allow a final newline.
        if "pattern" in node and not re.fullmatch(node["pattern"][1:-1], value):
            return [_meaning(node["pattern"])]
        return _FORMATS[node["format"]](value) if "format" in node else []


class _Whole(_Checked):
    def complaints(self, value: Any) -> list[str]:
        # JSON knows one kind of number: 3.0 is as whole as 3, and true is none.
        if isinstance(value, bool) or not (isinstance(value, int) or (isinstance(value, float) and value.is_integer())):
            return ["must be a whole number"]
        if value < self.node.get("minimum", value) or value > self.node.get("maximum", value):
            return [f"must lie between {self.node.get('minimum', '-∞')} and {self.node.get('maximum', '∞')}"]
        return []


class _YesNo(_Checked):
    def complaints(self, value: Any) -> list[str]:
        return [] if isinstance(value, bool) else ["must be true or false"]


class _List(_Checked):
    def __init__(self, node: Node, *, required: bool, allow_none: bool) -> None:
        super().__init__(node, required=required, allow_none=allow_none)
        self.item = _field(node["items"], required=True)

    def complaints(self, value: Any) -> Any:
        if not isinstance(value, list):
            return ["must be a list"]
        if not _within(self.node, "Items", len(value)):
            return [_bounds(self.node, "Items", "entries")]
        return _by_key(self.item, enumerate(value))


class _Object(_Checked):
    def __init__(self, node: Node, *, required: bool, allow_none: bool) -> None:
        super().__init__(node, required=required, allow_none=allow_none)
        needed = set(node.get("required", ()))
        properties = node.get("properties", {})
        self.schema = _Ignoring.from_dict(
            {name: _field(inner, required=name in needed) for name, inner in properties.items()}
        )()
        self.known = set(properties)
        self.others = _field(node["additionalProperties"], required=True) if "additionalProperties" in node else None

    def complaints(self, value: Any) -> Any:
        if not isinstance(value, dict):
            return ["must be an object"]
        messages: dict[Any, Any] = dict(self.schema.validate(value))
        if self.others is not None:
            messages |= _by_key(self.others, ((k, v) for k, v in value.items() if k not in self.known))
        choices = [choice["required"] for choice in self.node.get("anyOf", ())]
        if choices and not any(all(name in value for name in names) for names in choices):
            messages["_schema"] = [f"needs {' or '.join(' and '.join(names) for names in choices)}"]
        return messages


class _Ignoring(Schema):
    """Unknown fields are ignored: a newer sender may say more."""

    class Meta:
        unknown = EXCLUDE


def _within(node: Node, what: str, size: int) -> bool:
    return bool(node.get(f"min{what}", 0) <= size <= node.get(f"max{what}", size))


def _bounds(node: Node, what: str, unit: str) -> str:
    return f"must have {node.get(f'min{what}', 0)} to {node.get(f'max{what}', 'any number of')} {unit}"


def _by_key(check: fields.Field, pairs: Iterable[tuple[Any, Any]]) -> dict[Any, Any]:
    messages = {}
    for key, value in pairs:
        try:
            check.deserialize(value)
        except ValidationError as wrong:
            messages[key] = wrong.messages
    return messages


def _instant(value: str) -> list[str]:
    try:
        datetime.fromisoformat(value)
    except ValueError as wrong:
        return [f"names no instant: {wrong}"]
    return []


def _date(value: str) -> list[str]:
    try:
        date.fromisoformat(value)
    except ValueError as wrong:
        return [f"names no day: {wrong}"]
    return []


_FORMATS: dict[str, Callable[[str], list[str]]] = {
    "date-time": _instant,
    "date": _date,
    "uuid": lambda _: [],  # its pattern has already said all
}
_KINDS: dict[str, type[_Checked]] = {
    "string": _Text,
    "integer": _Whole,
    "boolean": _YesNo,
    "array": _List,
    "object": _Object,
}
