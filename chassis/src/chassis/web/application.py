"""The Flask application of a service: who may, how often, whether it was done before - then the view, then one commit.

A request is one transaction. Flask's own hooks run around the making of a response, where a failing commit could no
longer change the answer; so the steps stand here, in the order in which they happen, in one place.
"""

from __future__ import annotations

import re
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, Request, Response, g, request
from flask.globals import request_ctx
from flask.json.provider import JSONProvider
from sqlalchemy import Engine

from chassis import logs, metrics, telemetry
from chassis.audit.trail import record_notes, record_request
from chassis.errors import Forbidden, Invalid, NotFound
from chassis.runtime import Runtime
from chassis.web.access import Access
from chassis.web.arguments import JSON_TYPES
from chassis.web.fields import plain
from chassis.web.idempotency import IDEMPOTENCY, Attempt
from chassis.web.principal import PUBLIC, Principal
from chassis.web.problems import Unreadable, WrongMediaType
from chassis.web.tokens import NotAuthentic, Verifier
from chassis.web.work import Desk, Work, work

if TYPE_CHECKING:
    from chassis.approvals.registry import Approval
    from chassis.people.directory import Directory
    from chassis.web.limits import Limits

_MUTATING = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{8,64}$")
BODY_LIMIT = 1024 * 1024
_describing = threading.Lock()


class FastJson(JSONProvider):
    """orjson for everything Flask serialises."""

    def dumps(self, obj: Any, **kwargs: Any) -> str:
        return orjson.dumps(obj, default=str).decode()

    def loads(self, s: str | bytes, **kwargs: Any) -> Any:
        return orjson.loads(s)

    def response(self, *args: Any, **kwargs: Any) -> Response:
        return answer(self._prepare_response_obj(args, kwargs))


def answer(document: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A finished document as a response: what hot resources return, past the schema's dump."""
    response = Response(orjson.dumps(document, default=_plainly, option=orjson.OPT_UTC_Z), status, _JSON)
    if headers:
        response.headers.update(headers)
    return response


_JSON = [("Content-Type", "application/json")]


def _plainly(value: Any) -> Any:
    """What orjson doesn't know: an amount as our money is written, anything else by its text."""
    return plain(value) if isinstance(value, Decimal) else str(value)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """What dispatch needs to know of a view, worked out once."""

    view: Callable[..., Any]
    access: Access
    takes_query: bool
    body: bool | None  # None: the view reads no JSON; else whether a body is required


class Application(Flask):
    """Flask with one transaction per request."""

    json_provider_class = FastJson
    runtime: Runtime
    verifier: Verifier
    directory: Directory
    limits: Limits | None = None
    reading: Engine
    endpoints: dict[str, Endpoint]
    _document: dict[str, Any] | None = None
    describe: Callable[[], dict[str, Any]]
    approval_kinds: dict[str, Approval]

    @property
    def document(self) -> dict[str, Any]:
        """The OpenAPI document, worked out when it is first asked for."""
        with _describing:
            if self._document is None:
                self._document = self.describe()
        return self._document

    def full_dispatch_request(self) -> Response:
        begun = time.perf_counter()
        # The proxies are looked up once: each use of one costs as much as a dictionary of this size.
        asked = request_ctx.request
        sent = asked.environ.get
        g.desk = desk = Desk(
            self.runtime, self.reading, _request_id(sent("HTTP_X_REQUEST_ID")), sent("HTTP_TRACEPARENT")
        )
        with telemetry.request_span(asked, desk):
            try:
                response = super().full_dispatch_request()
            finally:
                if desk.work is not None:
                    desk.work.session.close()
        headers = response.headers
        headers.add("X-Request-ID", desk.request_id)
        headers.add("X-Content-Type-Options", "nosniff")
        if "Cache-Control" not in headers:
            headers.add("Cache-Control", "no-store")
        elapsed = time.perf_counter() - begun
        metrics.observe_request(asked, response.status_code, elapsed)
        logs.request_done(asked, response.status_code, elapsed, desk)
        return response

    def dispatch_request(self) -> Any:
        asked, desk = request_ctx.request, g.desk
        if asked.routing_exception is not None:
            self.raise_routing_exception(asked)
        name = asked.endpoint or ""
        endpoint = self.endpoints.get(name)
        if endpoint is None:
            return super().dispatch_request()
        if asked.method == "OPTIONS":
            return self.make_default_options_response()
        access = endpoint.access
        try:
            desk.principal = principal = PUBLIC if access.public else self._caller(asked)
        finally:
            if self.limits is not None:
                self.limits.check(desk.principal)
        if access.permission is not None and not principal.may(access.permission):
            raise Forbidden(f"this needs the permission {access.permission}")
        _readable(asked, endpoint)
        if asked.method not in _MUTATING:
            response = self.make_response(endpoint.view(**(asked.view_args or {})))
            if desk.work is not None and (desk.work.notes or desk.work.session.in_transaction()):
                self._finish(desk.work, response, None)
            return _tagged(response, desk)
        attempt = Attempt.begin(asked, access, principal, work()) if asked.method == "POST" else None
        if attempt is not None and attempt.replay is not None:
            return attempt.replay
        response = _tagged(self.make_response(endpoint.view(**(asked.view_args or {}))), desk)
        if response.status_code < 400:
            if access.audit:
                record_request(work(), name, asked, response.status_code)
            self._finish(work(), response, attempt)
        return response

    def _caller(self, asked: Request) -> Principal:
        header = asked.environ.get("HTTP_AUTHORIZATION")
        if header is None or not header.startswith("Bearer "):
            raise NotAuthentic("send a bearer token")
        principal = self.verifier.verify(header[7:])
        self.directory.refuse_disabled(principal)
        return principal

    def _finish(self, done: Work, response: Response, attempt: Attempt | None) -> None:
        """Everything this request means to leave behind, then the commit; only then is the answer true."""
        if response.status_code >= 400:
            done.session.rollback()
            return
        if done.notes:
            record_notes(done, request)
        if attempt is not None:
            attempt.remember(done, response)
        done.session.commit()


def _readable(request: Request, endpoint: Endpoint) -> None:
    """Refuse what no view should have to think of: foreign query parameters, too much body, another type, NULs."""
    if "\x00" in request.path:
        raise NotFound("nothing has such a name")
    if request.environ.get("QUERY_STRING"):
        if not endpoint.takes_query:
            names = {name: ["unknown parameter"] for name in request.args}
            raise Invalid("This resource takes no query parameters", names)
        if b"%00" in request.query_string or b"\x00" in request.query_string:
            raise Invalid("The query is not understood", {"": ["must not contain the NUL character"]})
    if request.method in _MUTATING:
        request.max_content_length = endpoint.access.body_limit or BODY_LIMIT
        if endpoint.body is None:
            return
        has_body = bool(request.content_length) or "Transfer-Encoding" in request.headers
        if not has_body:
            if endpoint.body:
                raise Unreadable("this needs a JSON body")
        elif request.mimetype not in JSON_TYPES:
            raise WrongMediaType("send the body as application/json")


def _tagged(response: Response, desk: Desk) -> Response:
    if desk.etag is not None and response.status_code < 400:
        response.headers["ETag"] = desk.etag
    return response


def _request_id(given: str | None) -> str:
    return given if given is not None and _REQUEST_ID.match(given) else secrets.token_hex(12)


__all__ = ["IDEMPOTENCY", "Application", "Endpoint", "FastJson", "answer"]
