"""Every answer but the one asked for is RFC 9457 ``application/problem+json``; none of them shows our insides."""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

import marshmallow as ma
import orjson
import psycopg
import structlog
from flask import Flask, Response, g, request
from sqlalchemy import exc
from werkzeug.exceptions import HTTPException

from chassis.errors import Conflict, Invalid, Refusal, Unavailable
from chassis.web.arguments import by_path
from chassis.web.tokens import NotAuthentic

MEDIA_TYPE = "application/problem+json"
_log = structlog.get_logger(__name__)


class TooMany(Refusal):
    """A rate limit. ``retry_after`` in seconds."""

    status = 429
    title = "Too many requests"

    def __init__(self, detail: str, retry_after: int) -> None:
        super().__init__(detail)
        self.retry_after = retry_after


class WrongMediaType(Refusal):
    """The body is of a type this resource doesn't read."""

    status = 415
    title = "Unsupported media type"


class Unreadable(Refusal):
    """The request can't be read at all, or lacks what makes it readable."""

    status = 400
    title = "Bad request"


class PreconditionMissing(Refusal):
    """A change without naming the version that it changes."""

    status = 428
    title = "Precondition required"


class PreconditionFailed(Refusal):
    """The named version isn't the present one."""

    status = 412
    title = "Precondition failed"


def problem(status: int, title: str, detail: str, headers: dict[str, str] | None = None, **members: Any) -> Response:
    """A problem document as a response."""
    desk = g.get("desk")
    body = {
        "type": "about:blank",
        "title": title,
        "status": status,
        "detail": detail,
        "instance": request.path,
        "request_id": desk.request_id if desk else None,
        **members,
    }
    response = Response(orjson.dumps(body, default=str), status, mimetype=MEDIA_TYPE)
    response.headers.update(headers or {})
    return response


def register(app: Flask) -> None:
    """Teach the application all refusals."""
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(NotAuthentic, _not_authentic)
    app.register_error_handler(ma.ValidationError, _validation)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(exc.SQLAlchemyError, _database)
    app.register_error_handler(psycopg.Error, _database)
    app.register_error_handler(Exception, _unexpected)


def _refusal(refusal: Refusal) -> Response:
    headers: dict[str, str] = {}
    members = dict(refusal.members)
    if isinstance(refusal, Invalid):
        members["errors"] = refusal.errors
    if isinstance(refusal, TooMany):
        headers["Retry-After"] = str(refusal.retry_after)
    if isinstance(refusal, Unavailable):
        headers["Retry-After"] = "1"
    return problem(refusal.status, refusal.title, refusal.detail, headers, **members)


def _not_authentic(wrong: NotAuthentic) -> Response:
    challenge = {"WWW-Authenticate": 'Bearer realm="kezhi"'}
    return problem(401, "Not signed in", str(wrong), challenge)


def _validation(wrong: ma.ValidationError) -> Response:
    return _refusal(Invalid("Some fields are not valid", by_path(wrong.messages)))


def _http(wrong: HTTPException) -> Response:
    status = wrong.code or 500
    if 300 <= status < 400:
        return Response("", status, headers=wrong.get_headers())
    kept = {
        name: value for name, value in wrong.get_headers() if name.lower() not in ("content-type", "content-length")
    }
    return problem(status, HTTPStatus(status).phrase, wrong.description or HTTPStatus(status).phrase, kept)


def _database(wrong: Exception) -> Response:
    """Transient trouble is 503 and worth a second try; a lock or a lost race is 409; anything else is our mistake."""
    cause = wrong.orig if isinstance(wrong, exc.DBAPIError) else wrong
    if isinstance(cause, psycopg.errors.LockNotAvailable):
        return _refusal(Conflict("Another request is working on the same thing: try again in a moment"))
    if isinstance(cause, psycopg.errors.UniqueViolation | psycopg.errors.ForeignKeyViolation):
        _log.warning("integrity_conflict", constraint=cause.diag.constraint_name)
        return _refusal(Conflict("Another request changed the same thing at the same time: read it again"))
    # A deadlock and a serialization failure are OperationalErrors too.
    passing = isinstance(cause, psycopg.OperationalError | psycopg.InterfaceError) or isinstance(
        wrong, exc.TimeoutError | exc.DisconnectionError
    )
    if passing:
        _log.warning("database_unavailable", error=type(cause).__name__, detail=str(cause).splitlines()[:1])
        return _refusal(Unavailable("The database can't take this request now; nothing was changed. Try again"))
    return _unexpected(wrong)


def _unexpected(wrong: Exception) -> Response:
    _log.error("request_failed", path=request.path, method=request.method, exc_info=wrong)
    return problem(500, "Internal error", "This is our mistake; the request id helps us find it")
