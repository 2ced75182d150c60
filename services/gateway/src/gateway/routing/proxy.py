"""The way through: stands before the Flask application and carries what belongs to other services.

A WSGI layer rather than a Flask view, so that a carried request meets none of what our own resources need
(a transaction, a body read whole, a permission check): the owning service does all that itself. No database
is asked here, except for an API key that was not seen for some seconds.
"""

from __future__ import annotations

import http.client
import re
import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import lru_cache
from typing import Any
from urllib.parse import quote

import orjson
import structlog
from prometheus_client import Histogram

from gateway.api_keys.exchange import ExchangeDesk
from gateway.routing.table import owner_of
from gateway.routing.upstream import (
    CHUNK,
    Answer,
    Body,
    BodyBroken,
    Headers,
    Resting,
    TooSlow,
    Unreachable,
    Upstream,
)

Environ = dict[str, Any]
StartResponse = Callable[..., Any]
Application = Callable[[Environ, StartResponse], Iterable[bytes]]

# RFC 9110 7.6.1: what speaks of one connection only, and must not be passed on. Expect is answered by our
# own server.
HOP_BY_HOP = frozenset(
    {
        "connection",
        "keep-alive",
        "proxy-authenticate",
        "proxy-authorization",
        "proxy-connection",
        "te",
        "trailer",
        "transfer-encoding",
        "upgrade",
        "expect",
    }
)
_OURS = frozenset({"host", "x-forwarded-for", "x-request-id", "content-length", "content-type"})
_REQUEST_ID = re.compile(r"^[A-Za-z0-9._:-]{8,64}$")
_TARGET = re.compile(r"^/[\x21-\x7e]*$")
_log = structlog.get_logger(__name__)

CARRIED = Histogram(
    "kezhi_gateway_carried_seconds",
    "Requests carried to other services, until the head of their answer",
    ["service", "status"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1, 5, 30),
)


class Router:
    """Carries requests to ``upstreams`` (by service name); everything else goes on to ``inner``."""

    def __init__(self, inner: Application, upstreams: Mapping[str, Upstream], desk: ExchangeDesk) -> None:
        self.inner = inner
        self.upstreams = upstreams
        self.desk = desk

    def __call__(self, environ: Environ, start_response: StartResponse) -> Iterable[bytes]:
        given = environ.get("HTTP_X_REQUEST_ID", "")
        request_id = given if _REQUEST_ID.match(given) else secrets.token_hex(12)
        environ["HTTP_X_REQUEST_ID"] = request_id
        authorization = environ.get("HTTP_AUTHORIZATION", "")
        if self.desk.concerns(authorization):
            try:
                token = self.desk.token_for(authorization)
            except Exception as away:
                _log.warning("api_key_not_checked", error=type(away).__name__)
                detail = "The API key can't be checked now."
                return _problem(environ, start_response, 503, "Temporarily unavailable", detail=detail)
            if token is None:
                challenge = [("WWW-Authenticate", 'Bearer realm="kezhi"')]
                detail = "this API key is unknown, revoked or expired"
                return _problem(environ, start_response, 401, "Not signed in", detail=detail, headers=challenge)
            environ["HTTP_AUTHORIZATION"] = token
        service = owner_of(environ.get("PATH_INFO", ""))
        if service is None:
            return self.inner(environ, start_response)
        begun = time.perf_counter()
        status, answer = self._carry(service, environ, start_response)
        CARRIED.labels(service, status).observe(time.perf_counter() - begun)
        return answer

    def _carry(self, service: str, environ: Environ, start_response: StartResponse) -> tuple[int, Iterable[bytes]]:
        def refuse(status: int, title: str, detail: str, headers: Headers | None = None) -> tuple[int, Iterable[bytes]]:
            _log.warning("not_carried", service=service, status=status, path=environ.get("PATH_INFO"))
            return status, _problem(
                environ, start_response, status, title, detail=detail, headers=headers, service=service
            )

        method = environ["REQUEST_METHOD"]
        upstream = self.upstreams.get(service)
        if upstream is None:
            detail = f"The {service} service has no address here (KEZHI_SERVICE_{service.upper()}_URL)."
            return refuse(503, "Service not connected", detail)
        try:
            body, length = _body_of(environ)
            headers = _headers_to(environ, length, body)
            answer = upstream.carry(method, _target_of(environ), headers, body)
        except Resting:
            detail = f"The {service} service does not keep up or is away; it is given a pause. Nothing was done."
            return refuse(503, "Service unavailable", detail, [("Retry-After", "5")])
        except TooSlow:
            detail = f"The {service} service did not answer in time.{_doubt(method)}"
            return refuse(504, "Service too slow", detail)
        except Unreachable:
            detail = f"The {service} service can't be reached.{_doubt(method)}"
            return refuse(502, "Service unreachable", detail, [("Retry-After", "1")])
        except (BodyBroken, ValueError):
            return refuse(400, "Bad request", "The request's body or headers can't be read.")
        start_response(f"{answer.status} {answer.reason}", _headers_back(answer, environ["HTTP_X_REQUEST_ID"]))
        return answer.status, answer.body


def _doubt(method: str) -> str:
    if method in ("GET", "HEAD", "OPTIONS"):
        return ""
    return " It may have been carried out all the same: repeat it with the same Idempotency-Key."


def _target_of(environ: Environ) -> str:
    """Path and query as the caller wrote them: encoding anew would change ``%2F`` and its like."""
    raw = environ.get("RAW_URI") or environ.get("REQUEST_URI") or ""
    if _TARGET.match(raw):
        return str(raw).partition("#")[0]
    path = quote(environ["PATH_INFO"].encode("latin-1"), safe="/:@!$&'()*+,;=-._~")
    query = environ.get("QUERY_STRING")
    return f"{path}?{query}" if query else path


def _body_of(environ: Environ) -> tuple[Body, int | None]:
    """The caller's body: none, whole when it fits one piece, else read while sent; and its length."""
    source = environ["wsgi.input"]
    if "chunked" in environ.get("HTTP_TRANSFER_ENCODING", "").lower():
        return _pieces(source, None), None
    length = int(environ.get("CONTENT_LENGTH") or 0)
    if length == 0:
        return None, 0 if environ["REQUEST_METHOD"] in ("POST", "PUT", "PATCH") else None
    if length <= CHUNK:
        return b"".join(_pieces(source, length)), length
    return _pieces(source, length), length


def _pieces(source: Any, length: int | None) -> Iterator[bytes]:
    remaining = length
    while remaining is None or remaining > 0:
        try:
            piece = source.read(CHUNK if remaining is None else min(CHUNK, remaining))
        except (OSError, ValueError) as broken:
            raise BodyBroken from broken
        if not piece:
            if remaining:
                raise BodyBroken
            return
        if remaining is not None:
            remaining -= len(piece)
        yield piece


def _headers_to(environ: Environ, length: int | None, body: object) -> Headers:
    dropped = HOP_BY_HOP | _OURS | _named_in(environ.get("HTTP_CONNECTION"))
    headers = []
    for key, value in environ.items():
        if key.startswith("HTTP_"):
            name = _header_name(key)
            if name.lower() not in dropped:
                headers.append((name, value))
    if content_type := environ.get("CONTENT_TYPE"):
        headers.append(("Content-Type", content_type))
    if length is not None:
        headers.append(("Content-Length", str(length)))
    elif body is not None:
        headers.append(("Transfer-Encoding", "chunked"))
    before = environ.get("HTTP_X_FORWARDED_FOR")
    address = environ.get("REMOTE_ADDR", "")
    headers.append(("X-Forwarded-For", f"{before}, {address}" if before else address))
    headers.append(("X-Request-Id", environ["HTTP_X_REQUEST_ID"]))
    return headers


def _headers_back(answer: Answer, request_id: str) -> Headers:
    named = _named_in(", ".join(value for name, value in answer.headers if name.lower() == "connection"))
    dropped = HOP_BY_HOP | named
    headers = [(name, value) for name, value in answer.headers if name.lower() not in dropped]
    if not any(name.lower() == "x-request-id" for name, _ in headers):
        headers.append(("X-Request-ID", request_id))
    return headers


def _named_in(connection: str | None) -> frozenset[str]:
    if not connection:
        return frozenset()
    return frozenset(name.strip().lower() for name in connection.split(","))


@lru_cache(maxsize=512)
def _header_name(key: str) -> str:
    return key[5:].replace("_", "-").title()


def _problem(
    environ: Environ,
    start_response: StartResponse,
    status: int,
    title: str,
    *,
    detail: str,
    headers: Headers | None = None,
    **members: Any,
) -> Iterable[bytes]:
    body = orjson.dumps(
        {
            "type": "about:blank",
            "title": title,
            "status": status,
            "detail": detail,
            "instance": environ.get("PATH_INFO", ""),
            "request_id": environ["HTTP_X_REQUEST_ID"],
            **members,
        }
    )
    start_response(
        f"{status} {http.client.responses[status]}",
        [
            ("Content-Type", "application/problem+json"),
            ("Content-Length", str(len(body))),
            ("Cache-Control", "no-store"),
            ("X-Request-ID", environ["HTTP_X_REQUEST_ID"]),
            *(headers or []),
        ],
    )
    return (body,)
