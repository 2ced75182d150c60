"""One request of the gateway's own, put to whoever owns its path: the answer taken apart, or why there is none.

For everything the gateway does beside carrying other people's requests: the console's pages, the 360° view, the
portal's errands and its one-time codes. What the gateway owns itself is asked without the network.
"""

from __future__ import annotations

import http.client
import io
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import unquote_to_bytes

import orjson
import structlog

from gateway.routing.table import owner_of
from gateway.routing.upstream import Headers, Resting, TooSlow, Unreachable, Upstream

API = "/api/v1/"
ITSELF = "gateway"
LARGEST = 4 * 1024 * 1024  # bytes of one answer that is taken apart here
_log = structlog.get_logger(__name__)

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]


class Missing(Exception):
    """A service that gave no answer.

    ``reason``: ``away``, ``slow``, ``resting``, ``not_connected``, or ``failed`` where what came was no answer.
    """

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service, self.reason = service, reason


@dataclass(frozen=True)
class Reply:
    """One answer of a service, a refusal included."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    value: Any  # JSON taken apart, else the text; None where there is nothing

    @property
    def granted(self) -> bool:
        """Did it say what was asked?"""
        return self.status < 400

    @property
    def problem(self) -> Mapping[str, Any]:
        """The problem+json of a refusal."""
        return self.value if isinstance(self.value, Mapping) else {"title": str(self.status)}

    @property
    def etag(self) -> str | None:
        """The version that a change must name."""
        return self.headers.get("etag")


@dataclass(frozen=True)
class Switchboard:
    """The services and, where given, the gateway's own application. Thread-safe."""

    upstreams: Mapping[str, Upstream]
    own: Wsgi | None = None

    def send(
        self,
        method: str,
        path: str,
        *,
        token: str | None,
        request_id: str,
        body: Any = None,
        key: str | None = None,
        headers: Iterable[tuple[str, str]] = (),
        seconds: float | None = None,
    ) -> Reply:
        """``<method> /api/v1/<path>`` as the bearer of ``token``, waited for ``seconds``.

        ``key``: the Idempotency-Key. Raises Missing; answers from 500 on are missing ones.
        """
        target = API + path.lstrip("/")
        sent: Headers = [("Accept", "application/json"), ("X-Request-Id", request_id), *headers]
        if token:
            sent.append(("Authorization", f"Bearer {token}"))
        if key:
            sent.append(("Idempotency-Key", key))
        content = None if body is None else orjson.dumps(body, default=str)
        if content is not None:
            sent += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        elif method not in ("GET", "DELETE"):
            sent.append(("Content-Length", "0"))
        service = owner_of(target.partition("?")[0]) or ITSELF
        if service == ITSELF and self.own is not None:
            status, given, pieces = _called(self.own, method, target, sent, content)
        else:
            status, given, pieces = self._carried(service, method, target, sent, content, seconds)
        return _taken_apart(service, status, given, _whole(service, pieces))

    def _carried(
        self, service: str, method: str, target: str, headers: Headers, body: bytes | None, seconds: float | None
    ) -> tuple[int, Headers, Iterable[bytes]]:
        upstream = self.upstreams.get(service)
        if upstream is None:
            raise Missing(service, "not_connected")
        try:
            answer = upstream.carry(method, target, headers, body, seconds)
        except Resting:
            raise Missing(service, "resting") from None
        except TooSlow:
            raise Missing(service, "slow") from None
        except Unreachable as away:
            _log.warning("service_missing", service=service, error=type(away).__name__)
            raise Missing(service, "away") from None
        return answer.status, answer.headers, answer.body


def _called(
    application: Wsgi, method: str, target: str, headers: Headers, body: bytes | None
) -> tuple[int, Headers, Iterable[bytes]]:
    """What our own application answers, as a WSGI server would ask it."""
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": unquote_to_bytes(path).decode("latin-1"),
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(body or b""),
        "wsgi.errors": io.StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        variable = name.upper().replace("-", "_")
        environ[variable if variable in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{variable}"] = value
    begun: list[Any] = []

    def start(status: str, given: Headers, *_: Any) -> None:
        begun[:] = [int(status.split(" ", 1)[0]), given]

    pieces = application(environ, start)
    return begun[0], begun[1], pieces


def _whole(service: str, pieces: Iterable[bytes]) -> bytes:
    size, taken = 0, []
    try:
        for piece in pieces:
            size += len(piece)
            if size > LARGEST:
                raise Missing(service, "failed")
            taken.append(piece)
    except (OSError, http.client.HTTPException):  # it broke off in the middle
        raise Missing(service, "away") from None
    finally:
        if (close := getattr(pieces, "close", None)) is not None:
            close()
    return b"".join(taken)


def _taken_apart(service: str, status: int, headers: Headers, content: bytes) -> Reply:
    if status >= 500:
        raise Missing(service, "away" if status in (502, 503, 504) else "failed")
    named = {name.lower(): value for name, value in headers}
    try:
        value = orjson.loads(content) if content and "json" in named.get("content-type", "") else content.decode()
    except ValueError:
        raise Missing(service, "failed") from None
    return Reply(status, named, value if content else None)
