"""What the templates' resources read and answer."""

from __future__ import annotations

import re
from typing import Any

import marshmallow as ma

from chassis.web import PageArgs, QuerySchema, Schema, fields
from notify.templates.domain import CHANNELS
from notify.templates.queries import KEY, LOCALE

VARIABLE = re.compile(r"^[a-z][a-z0-9_]{0,39}$", re.ASCII)
LONGEST = 20_000


class Pattern(fields.String):
    """A text of one form."""

    def __init__(self, form: re.Pattern[str], **kwargs: Any) -> None:
        self.form = form
        super().__init__(metadata={"pattern": form.pattern, **kwargs.pop("metadata", {})}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        if not isinstance(value, str) or not self.form.fullmatch(value):
            raise ma.ValidationError(f"must match {self.form.pattern}")
        return value


class Example(fields.Field[Any]):
    """A text or a whole number."""

    def __init__(self, **kwargs: Any) -> None:
        documented = {"oneOf": [{"type": "string", "maxLength": 200, "pattern": r"^[^\u0000]*$"}, _WHOLE]}
        super().__init__(metadata=documented, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str | int:
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= _WHOLE["maximum"]:
            return value
        if isinstance(value, str) and len(value) <= 200 and "\x00" not in value:
            return value
        raise ma.ValidationError("must be a text or a whole number")


_WHOLE: dict[str, Any] = {"type": "integer", "minimum": 0, "maximum": 2**31 - 1}


class VariableSchema(Schema):
    """A variable of a key without an event."""

    example = Example(required=True)
    secret = fields.Flag(load_default=False, metadata={"description": "struck out of what is stored, like a code"})


class TextsSchema(Schema):
    """The texts themselves, in the language of templates."""

    subject = fields.Text(500, load_default=None, allow_none=True)
    text = fields.Text(LONGEST, required=True)
    html = fields.Text(LONGEST, load_default=None, allow_none=True)


class SavingSchema(TextsSchema):
    """``POST templates``."""

    key = Pattern(KEY, required=True)
    channel = fields.Choice(*CHANNELS, required=True)
    locale = Pattern(LOCALE, required=True)
    event = Pattern(
        KEY, load_default=None, allow_none=True, metadata={"description": "of a new key: the type of event it is about"}
    )
    variables = fields.Dict(
        keys=Pattern(VARIABLE),
        values=fields.Nested(VariableSchema),
        load_default=None,
        allow_none=True,
        metadata={"description": "of a new key without an event: what the sender gives"},
    )
    note = fields.Text(500, load_default=None, allow_none=True)


class PreviewingSchema(Schema):
    """``POST templates/preview``: a text that is not saved yet, or without ``text`` the one in use."""

    key = Pattern(KEY, required=True)
    channel = fields.Choice(*CHANNELS, "call_task", required=True)
    locale = Pattern(LOCALE, load_default=None, allow_none=True)
    subject = fields.Text(500, load_default=None, allow_none=True)
    text = fields.Text(LONGEST, load_default=None, allow_none=True)
    html = fields.Text(LONGEST, load_default=None, allow_none=True)
    recipient = fields.Text(200, load_default=None, allow_none=True, metadata={"description": "whom it greets"})


class SegmentsSchema(Schema):
    """What an SMS costs."""

    encoding = fields.Choice("GSM-7", "UCS-2", required=True)
    length = fields.Whole(min=0, required=True)
    segments = fields.Whole(min=0, required=True)


class PreviewSchema(Schema):
    """A message as it would go out, filled in with the event's example."""

    key = fields.String(required=True)
    channel = fields.String(required=True)
    locale = fields.String(required=True, metadata={"description": "of the text that was found"})
    version = fields.Whole(
        min=0, required=True, allow_none=True, metadata={"description": "null: a text that is not saved"}
    )
    subject = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    html = fields.String(required=True, allow_none=True)
    stored_subject = fields.String(required=True, allow_none=True)
    stored_text = fields.String(required=True, metadata={"description": "what is kept: links and codes struck out"})
    segments = fields.Nested(SegmentsSchema, required=True, allow_none=True)


class TemplateSchema(Schema):
    """A text: the one in use, or an earlier version."""

    key = fields.String(required=True)
    channel = fields.String(required=True)
    locale = fields.String(required=True)
    version = fields.Whole(min=0, required=True, metadata={"description": "0: the text that came with the release"})
    event = fields.String(required=True, allow_none=True)
    names = fields.List(fields.String(), required=True, metadata={"description": "what the text may name"})
    findings = fields.Dict(
        keys=fields.String(),
        values=fields.List(fields.String()),
        required=True,
        metadata={"description": "what no longer fits the event since an upgrade, by part"},
    )
    subject = fields.String(required=True, allow_none=True)
    text = fields.String(required=True)
    html = fields.String(required=True, allow_none=True)
    note = fields.String(required=True, allow_none=True)
    saved_by = fields.String(required=True, allow_none=True)
    saved_at = fields.Instant(required=True, allow_none=True)


class TemplatesArgs(PageArgs):
    """Which texts."""

    key = Pattern(KEY, load_default=None)
    channel = fields.Choice(*CHANNELS, load_default=None)
    locale = Pattern(LOCALE, load_default=None)


class VersionArgs(QuerySchema):
    """Which version; without it the one in use."""

    version = fields.Whole(min=0, load_default=None)
