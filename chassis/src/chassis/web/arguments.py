"""Reading a request's arguments: 400 for what can't be read, 422 by path for what is wrong in it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NoReturn

import marshmallow as ma
import orjson
from flask import Request, request
from marshmallow.fields import List
from webargs import core
from webargs.flaskparser import FlaskParser
from werkzeug.exceptions import BadRequest

from chassis.errors import Invalid

JSON_TYPES = ("application/json", "application/merge-patch+json", "application/cloudevents+json")


class Parser(FlaskParser):
    """webargs with our readers and our refusals."""

    DEFAULT_UNKNOWN_BY_LOCATION = {  # noqa: RUF012 - webargs declares it so
        **FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION,
        "query": None,
        "form": ma.RAISE,
        "files": ma.RAISE,
    }

    def load_json(self, req: Request, schema: ma.Schema) -> Any:
        return read_json(req)

    def load_querystring(self, req: Request, schema: ma.Schema) -> Any:
        errors = {
            name: ["given more than once"]
            for name, values in req.args.lists()
            if len(values) > 1 and not isinstance(schema.fields.get(name), List)
        }
        if errors:
            raise Invalid("The query is not understood", errors)
        return self._makeproxy(req.args, schema)

    def handle_error(self, error: ma.ValidationError, req: Request, schema: ma.Schema, **_: Any) -> NoReturn:
        messages: Any = error.messages
        if isinstance(messages, Mapping) and len(messages) == 1:
            messages = next(iter(messages.values()))  # webargs nests them under the location
        raise Invalid("Some fields are not valid", by_path(messages)) from None


def read_json(req: Request | None = None) -> Any:
    """The body as JSON. Raises BadRequest (400) when it can't be read, Invalid for a NUL anywhere in it."""
    body = (req or request).get_data()
    if not body:
        return core.missing
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError as wrong:
        raise BadRequest(f"the body is not JSON: {wrong}") from None
    if b"\\u0000" in body:
        found = {path: ["must not contain the NUL character"] for path in nul_paths(document)}
        if found:
            raise Invalid("Some fields are not valid", found)
    return document


def nul_paths(value: Any, path: str = "") -> Iterator[str]:
    """Where a document holds a NUL: PostgreSQL stores none, so it goes no further than here."""
    if isinstance(value, str):
        if "\x00" in value:
            yield path
    elif isinstance(value, dict):
        for name, member in value.items():
            if "\x00" in name:
                yield path
            yield from nul_paths(member, f"{path}.{name}" if path else name)
    elif isinstance(value, list):
        for index, member in enumerate(value):
            yield from nul_paths(member, f"{path}.{index}" if path else str(index))


def by_path(messages: Any, path: str = "") -> dict[str, list[str]]:
    """marshmallow's nested messages as ``{"lines.0.quantity": ["…"]}``; an error of the whole stands under its path."""
    if isinstance(messages, Mapping):
        flat: dict[str, list[str]] = {}
        for name, below in messages.items():
            step = path if name == "_schema" else f"{path}.{name}" if path else str(name)
            for where, texts in by_path(below, step).items():
                flat.setdefault(where, []).extend(texts)
        return flat
    if isinstance(messages, list):
        return {path: [str(message) for message in messages]}
    return {path: [str(messages)]}
