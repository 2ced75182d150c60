"""``api-keys`` over HTTP. The secret is in one answer only, and in no record of it."""

from __future__ import annotations

import uuid
from typing import Any

from flask import current_app
from marshmallow import validate
from sqlalchemy import select

from chassis.errors import NotFound
from chassis.web import Blueprint, Page, PageArgs, Schema, fields, requires, work
from gateway.api_keys import use_cases
from gateway.api_keys.tables import ApiKey
from gateway.people.api import known_roles

blueprint = Blueprint("api-keys", __name__, description="Keys for machines")


class NewApiKeySchema(Schema):
    """A key to make; without ``expires_at`` it lives a year."""

    name = fields.Text(100, required=True)
    roles = fields.List(fields.Text(64), required=True, validate=validate.Length(min=1, max=20))
    sources = fields.List(fields.Text(200), load_default=list, validate=validate.Length(max=200))
    unit = fields.Text(64, load_default=None, allow_none=True)
    expires_at = fields.Instant(load_default=None, allow_none=True)


class ApiKeySchema(Schema):
    """A key, without its secret."""

    id = fields.Uuid(required=True)
    name = fields.String(required=True)
    hint = fields.String(required=True, metadata={"description": "the key's first characters"})
    roles = fields.List(fields.String(), required=True)
    sources = fields.List(fields.String(), required=True)
    unit = fields.String(required=True)
    created_by = fields.String(required=True)
    created_at = fields.Instant(required=True)
    expires_at = fields.Instant(required=True)
    revoked_at = fields.Instant(required=True, allow_none=True)


class IssuedKeySchema(ApiKeySchema):
    """A key just made, with its secret."""

    key = fields.String(required=True, metadata={"description": "shown this once"})


def dump_key(key: ApiKey) -> dict[str, Any]:
    """A key as ApiKeySchema shows it."""
    return {
        "id": key.id,
        "name": key.name,
        "hint": key.hint,
        "roles": key.roles,
        "sources": key.sources,
        "unit": key.unit.code,
        "created_by": key.created_by,
        "created_at": key.created_at,
        "expires_at": key.expires_at,
        "revoked_at": key.revoked_at,
    }


@blueprint.get("/api-keys")
@requires("api-keys:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(ApiKeySchema))
def list_keys(query: dict[str, Any]) -> dict[str, Any]:
    """All keys, the newest first, also those that ended."""
    return Page.of(work().session, select(ApiKey), [ApiKey.id.desc()], query["limit"], query["cursor"], dump_key)


@blueprint.post("/api-keys")
@requires("api-keys:write", secret=True)
@blueprint.arguments(NewApiKeySchema)
@blueprint.response(201, IssuedKeySchema)
def issue_key(body: dict[str, Any]) -> dict[str, Any]:
    """Make a key. Its secret is in this answer and nowhere else."""
    at = work()
    command = use_cases.NewKey(**body)
    key, secret = use_cases.issue_key(at.session, at.clock, known_roles(at), command, at.principal.username)
    at.note(f"api-key:{key.id}", roles=key.roles, sources=key.sources)
    return dump_key(key) | {"key": secret}


@blueprint.get("/api-keys/<uuid:key_id>")
@requires("api-keys:read")
@blueprint.response(200, ApiKeySchema)
def get_key(key_id: uuid.UUID) -> dict[str, Any]:
    """One key."""
    key = work().session.get(ApiKey, key_id)
    if key is None:
        raise NotFound("There is no such API key.")
    return dump_key(key)


@blueprint.delete("/api-keys/<uuid:key_id>")
@requires("api-keys:write")
@blueprint.response(204)
def revoke_key(key_id: uuid.UUID) -> None:
    """Revoke a key for good."""
    at = work()
    use_cases.revoke_key(at.session, at.clock, key_id)
    at.note(f"api-key:{key_id}")
    if desk := current_app.extensions.get("kezhi_exchange"):
        desk.forget()
