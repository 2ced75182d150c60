"""``auth/*`` over HTTP, and the JWKS by which every service checks our tokens.

These views keep their own transaction: a failed guess must be counted although its answer is a refusal,
which the request's transaction would roll back.
"""

from __future__ import annotations

import math
import uuid
from typing import Any

import structlog
from flask import Response
from marshmallow import validate

from chassis.errors import Forbidden
from chassis.runtime import Context
from chassis.web import Blueprint, Schema, fields, requires, work
from chassis.web.application import Application, answer
from chassis.web.problems import TooMany
from chassis.web.tokens import NotAuthentic
from gateway.signin import keys, refresh, use_cases
from gateway.signin.tokens import STAFF_LIFE

blueprint = Blueprint("auth", __name__, description="Signing in and out")
_log = structlog.get_logger(__name__)

JWKS_PATH = "/.well-known/jwks.json"
JWKS_SECONDS = 60


class CredentialsSchema(Schema):
    """Who, and the proof."""

    username = fields.Text(64, required=True)
    password = fields.String(required=True, load_only=True, validate=validate.Length(max=1024))


class RefreshSchema(Schema):
    """The refresh token last given."""

    refresh_token = fields.Text(256, required=True, load_only=True)


class PasswordSchema(Schema):
    """A new password for oneself."""

    current_password = fields.String(required=True, load_only=True, validate=validate.Length(max=1024))
    new_password = fields.String(required=True, load_only=True, validate=validate.Length(max=256))


class TokensSchema(Schema):
    """What one is signed in with."""

    access_token = fields.String(required=True)
    refresh_token = fields.String(required=True)
    expires_in = fields.Whole(required=True)
    token_type = fields.String(required=True)


@blueprint.post("/auth/token")
@requires(public=True, secret=True, audit=False)
@blueprint.arguments(CredentialsSchema)
@blueprint.response(200, TokensSchema)
@blueprint.alt_response(401)
def sign_in(body: dict[str, Any]) -> dict[str, Any]:
    """Sign in with username and password."""
    with work().runtime.context() as own:
        admission = use_cases.sign_in(own.session, own.clock, body["username"], body["password"])
    if admission.wait_until:
        seconds = math.ceil((admission.wait_until - own.clock.now()).total_seconds())
        raise TooMany("Too many wrong passwords in a row; wait before the next try.", max(1, seconds))
    return _tokens(admission, own, "Username or password is wrong.")


@blueprint.post("/auth/refresh")
@requires(public=True, secret=True, audit=False)
@blueprint.arguments(RefreshSchema)
@blueprint.response(200, TokensSchema)
@blueprint.alt_response(401)
def stay_signed_in(body: dict[str, Any]) -> dict[str, Any]:
    """Exchange a refresh token for new tokens. Using one twice ends the whole sign-in."""
    with work().runtime.context() as own:
        admission = use_cases.stay_signed_in(own.session, own.clock, body["refresh_token"])
    return _tokens(admission, own, "This refresh token is not valid any more; sign in again.")


@blueprint.post("/auth/logout")
@requires(public=True, audit=False)
@blueprint.arguments(RefreshSchema)
@blueprint.response(204)
def sign_out(body: dict[str, Any]) -> None:
    """End the sign-in that a refresh token belongs to."""
    at = work()
    staff_id = refresh.end_sign_in(at.session, at.clock, body["refresh_token"])
    _log.info("signed_out", staff_id=str(staff_id) if staff_id else None)


@blueprint.post("/auth/password")
@requires(secret=True)
@blueprint.arguments(PasswordSchema)
@blueprint.response(204)
def change_own_password(body: dict[str, Any]) -> None:
    """Change one's own password; every sign-in under the old one ends."""
    at = work()
    if at.principal.kind != "staff":
        raise Forbidden("Only staff have a password.")
    with at.runtime.context() as own:
        changed = use_cases.change_own_password(
            own.session, own.clock, uuid.UUID(at.principal.id), body["current_password"], body["new_password"]
        )
    if not changed:
        raise Forbidden("The present password is wrong, or was wrong too often; wait a little.")
    at.note(f"staff:{at.principal.username}", fields=["password"])


@blueprint.get("/.well-known/jwks.json")
@requires(public=True)
@blueprint.response(200, Schema.from_dict({"keys": fields.List(fields.Dict(), required=True)}, name="JwksSchema"))
def jwks() -> Response:
    """The public keys that sign our tokens (RFC 7517)."""
    with work().runtime.context() as own:
        return jwks_answer(own)


def jwks_answer(context: Context) -> Response:
    """The JWKS as a response that caches may keep for a minute."""
    caching = {"Cache-Control": f"public, max-age={JWKS_SECONDS}"}
    return answer(keys.published(context.session, context.clock), headers=caching)


def mount_jwks(app: Application) -> None:
    """Serve the JWKS at its well-known place beside the API as well."""

    def well_known() -> Response:
        with app.runtime.context() as own:
            return jwks_answer(own)

    app.add_url_rule(JWKS_PATH, "well_known_jwks", well_known)


def _tokens(admission: use_cases.Admission, own: Context, refusal: str) -> dict[str, Any]:
    staff_id = str(admission.staff.id) if admission.staff else None
    if admission.refused:
        _log.warning("sign_in_refused", staff_id=staff_id, reason=admission.refused)
        raise NotAuthentic(refusal)
    _log.info("signed_in", staff_id=staff_id)
    return {
        "access_token": admission.access_token,
        "refresh_token": admission.refresh_token,
        "expires_in": int(STAFF_LIFE.total_seconds()),
        "token_type": "Bearer",
    }
