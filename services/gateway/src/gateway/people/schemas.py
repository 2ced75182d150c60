"""Shapes of units, staff and roles over HTTP."""

from __future__ import annotations

import marshmallow as ma
from marshmallow import validate

from chassis.web import PageArgs, Schema, fields

# The pattern as JSON Schema and Python both read it; what the document promises is what is checked.
_PATTERN = r"^[^/\s\u0000-\u0020\u007f-\u00a0]{1,64}$"


class _Code(fields.Text):
    """A name that goes into paths: no spaces, no slashes."""

    def __init__(self) -> None:
        wording = "1 to 64 characters without spaces and slashes"
        super().__init__(
            64, required=True, validate=validate.Regexp(_PATTERN, error=wording), metadata={"pattern": _PATTERN}
        )


class UnitSchema(Schema):
    """A unit as it is now."""

    id = fields.Uuid(required=True)
    code = fields.Text(64, required=True)
    name = fields.Text(200, required=True)
    path = fields.String(required=True)
    parent = fields.String(required=True, allow_none=True)
    head = fields.String(required=True, allow_none=True)


class NewUnitSchema(Schema):
    """A unit to open; without ``parent`` below the company itself."""

    code = _Code()
    name = fields.Text(200, required=True)
    parent = fields.Text(64, load_default=None, allow_none=True)


class UnitPatchSchema(Schema):
    """A merge patch: what is left out stays."""

    name = fields.Text(200)
    head = fields.Text(64, allow_none=True)


class AbsenceSchema(Schema):
    """Away from … until …, and who stands in."""

    since = fields.Instant(required=True, data_key="from")
    until = fields.Instant(required=True)
    deputy = fields.Text(64, load_default=None, allow_none=True)


class StaffSchema(Schema):
    """A staff member as they are now."""

    id = fields.Uuid(required=True)
    username = fields.String(required=True)
    name = fields.String(required=True)
    unit = fields.String(required=True)
    unit_path = fields.String(required=True)
    roles = fields.List(fields.String(), required=True)
    superior = fields.String(required=True, allow_none=True)
    enabled = fields.Flag(required=True)
    absence = fields.Nested(AbsenceSchema, required=True, allow_none=True)


class NewStaffSchema(Schema):
    """Someone to take on; ``unit`` by code, ``superior`` by username."""

    username = _Code()
    name = fields.Text(200, required=True)
    unit = fields.Text(64, required=True)
    roles = fields.List(fields.Text(64), required=True, validate=validate.Length(min=1, max=20))
    superior = fields.Text(64, load_default=None, allow_none=True)
    password = fields.String(load_default=None, allow_none=True, load_only=True, validate=validate.Length(max=256))


class StaffPatchSchema(Schema):
    """A merge patch: what is left out stays; ``superior: null`` and ``absence: null`` take away."""

    name = fields.Text(200)
    unit = fields.Text(64)
    roles = fields.List(fields.Text(64), validate=validate.Length(min=1, max=20))
    superior = fields.Text(64, allow_none=True)
    enabled = fields.Flag()
    absence = fields.Nested(AbsenceSchema, allow_none=True)
    password = fields.String(load_only=True, validate=validate.Length(max=256))


class StaffArgs(PageArgs):
    """Filters of the staff list."""

    unit = fields.Text(64, load_default=None)
    role = fields.Text(64, load_default=None)
    enabled = fields.Flag(load_default=None)
    username = fields.Text(64, load_default=None)


class RoleSchema(Schema):
    """A role of the policy pack, and what it may do at the gateway itself."""

    role = fields.String(required=True)
    title = fields.Dict(keys=fields.String(), values=fields.String(), required=True)
    compensation = fields.String(
        required=True,
        allow_none=True,
        metadata={"description": "what it may grant per case, in the company's currency; null: no limit"},
    )
    permissions = fields.List(fields.String(), required=True)


class RolesSchema(Schema):
    """All roles; there are few, so there are no pages."""

    items = fields.List(fields.Nested(RoleSchema), required=True)
    next = ma.fields.Constant(None, dump_default=None, metadata={"type": "null"})
