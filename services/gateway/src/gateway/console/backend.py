"""What the pages ask of the services: with the reader's own token, so that each service guards its own.

A page asks many at once and shows what came (``fan_out``); who did not answer in time is a ``Missing`` with the
service's name, never a reason to show nothing. A problem+json becomes ``Refused``, in the service's own words.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote_to_bytes, urlencode

import orjson
import structlog

from gateway.routing.table import owner_of
from gateway.routing.upstream import Resting, TooSlow, Unreachable, Upstream

DEADLINE = 2.5  # seconds that a page waits for its parts
API = "/api/v1/"
THREADS = 32
_POOL = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="fan-out")
_log = structlog.get_logger(__name__)


class Missing(Exception):
    """A service that gave no answer. ``reason``: ``away``, ``slow``, ``resting`` or ``not_connected``."""

    def __init__(self, service: str, reason: str) -> None:
        super().__init__(f"{service}: {reason}")
        self.service, self.reason = service, reason


class Refused(Exception):
    """A service's problem+json."""

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        super().__init__(problem.get("detail") or problem.get("title"))
        self.status = status
        self.problem = problem

    @property
    def title(self) -> str:
        """What kind of refusal it is."""
        return str(self.problem.get("title") or self.status)

    @property
    def detail(self) -> str:
        """What to do about it."""
        return str(self.problem.get("detail") or "")

    @property
    def errors(self) -> Mapping[str, list[str]]:
        """Messages by field path."""
        return self.problem.get("errors") or {}


@dataclass(frozen=True)
class Reply:
    """One answer of a service."""

    status: int
    headers: Mapping[str, str]  # names in lower case
    value: Any

    @property
    def etag(self) -> str | None:
        """The version that a change must name."""
        return self.headers.get("etag")


@dataclass(frozen=True)
class Part:
    """What became of one part of a page: a value, a service that is missing, or a refusal."""

    value: Any = None
    missing: Missing | None = None
    refused: Refused | None = None

    @property
    def ok(self) -> bool:
        """Whether there is something to show."""
        return self.missing is None and self.refused is None

    @property
    def forbidden(self) -> bool:
        """The reader may not see this part at all: the page leaves it out without a word."""
        return self.refused is not None and self.refused.status in (401, 403)

    def get(self, name: str, otherwise: Any = None) -> Any:
        """A member of the value, as of a dict; ``otherwise`` where there is no value."""
        return self.value.get(name, otherwise) if isinstance(self.value, Mapping) else otherwise

    @property
    def entries(self) -> list[Any]:
        """The ``items`` of a list; none where there is no value."""
        return list(self.get("items") or ())


Question = str | tuple[str, Mapping[str, Any]]
Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Any]


@dataclass(frozen=True)
class Backend:
    """The services as one reader meets them. Knows nothing of the request at hand: threads may share it."""

    token: str | None
    upstreams: Mapping[str, Upstream]
    own: Wsgi  # the gateway's own application, for what it owns itself
    request_id: str
    address: str = ""  # the reader's, for the services' limits per address
    language: str = "zh-CN"
    deadline: float = field(default=DEADLINE)

    def get(self, path: str, **query: Any) -> Any:
        """``GET /api/v1/<path>``; members of ``query`` that are None or empty are left out. ``from_`` asks ``from``."""
        return self.ask("GET", path, query=query).value

    def post(self, path: str, body: Any = None, *, key: str | None = None) -> Any:
        """``POST``: ``key`` is the Idempotency-Key, made when the form was shown."""
        return self.ask("POST", path, body={} if body is None else body, key=key).value

    def put(self, path: str, body: Any) -> Any:
        """``PUT``."""
        return self.ask("PUT", path, body=body).value

    def patch(self, path: str, body: Any, *, etag: str) -> Any:
        """``PATCH`` of the version that was read (``ask("GET", …).etag``)."""
        return self.ask("PATCH", path, body=body, etag=etag).value

    def delete(self, path: str) -> Any:
        """``DELETE``."""
        return self.ask("DELETE", path).value

    def ask(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, Any] | None = None,
        body: Any = None,
        key: str | None = None,
        etag: str | None = None,
        seconds: float | None = None,
    ) -> Reply:
        """One request, waited for ``seconds``. Raises Refused for every answer from 400 on, Missing for none."""
        target = API + path.lstrip("/")
        if asked := {
            name.rstrip("_"): _plain(value) for name, value in (query or {}).items() if value not in (None, "")
        }:
            target += "?" + urlencode(asked)
        headers = [("Accept", "application/json"), ("X-Request-Id", self.request_id)]
        if self.token:
            headers.append(("Authorization", f"Bearer {self.token}"))
        if self.address:
            headers.append(("X-Forwarded-For", self.address))
        if key:
            headers.append(("Idempotency-Key", key))
        if etag:
            headers.append(("If-Match", etag))
        raw = None
        if body is not None:
            raw = orjson.dumps(body, default=str)
            headers += [("Content-Type", "application/json"), ("Content-Length", str(len(raw)))]
        service = owner_of(target.partition("?")[0])
        reply = (
            self._ask_own(method, target, headers, raw)
            if service is None
            else self._carry(service, method, target, headers, raw, seconds)
        )
        if reply.status >= 400:
            problem = reply.value if isinstance(reply.value, Mapping) else {"title": str(reply.status)}
            if reply.status in (502, 503, 504):
                raise Missing(service or "gateway", "away")
            raise Refused(reply.status, problem)
        return reply

    def fan_out(self, questions: Mapping[str, Question], deadline: float | None = None) -> dict[str, Part]:
        """Ask all of them at once; what has not come by the deadline is missing, named with its service."""
        seconds = self.deadline if deadline is None else deadline
        futures = {
            name: _POOL.submit(self._part, *(question if isinstance(question, tuple) else (question, {})), seconds)
            for name, question in questions.items()
        }
        wait(futures.values(), timeout=seconds)
        parts = {}
        for name, future in futures.items():
            if future.done():
                parts[name] = future.result()
            else:
                future.cancel()
                question = questions[name]
                path = question[0] if isinstance(question, tuple) else question
                parts[name] = Part(missing=Missing(owner_of(API + path) or "gateway", "slow"))
        return parts

    def _part(self, path: str, query: Mapping[str, Any], seconds: float) -> Part:
        try:
            return Part(self.ask("GET", path, query=query, seconds=seconds).value)
        except Missing as missing:
            return Part(missing=missing)
        except Refused as refused:
            return Part(refused=refused)

    def _carry(
        self,
        service: str,
        method: str,
        target: str,
        headers: list[tuple[str, str]],
        body: bytes | None,
        seconds: float | None,
    ) -> Reply:
        upstream = self.upstreams.get(service)
        if upstream is None:
            raise Missing(service, "not_connected")
        try:
            answer = upstream.carry(method, target, headers, body, seconds)
            try:
                content = b"".join(answer.body)
            finally:
                close = getattr(answer.body, "close", None)
                if close is not None:
                    close()
        except Resting:
            raise Missing(service, "resting") from None
        except TooSlow:
            raise Missing(service, "slow") from None
        except (Unreachable, OSError) as away:
            _log.warning("service_missing", service=service, error=type(away).__name__)
            raise Missing(service, "away") from None
        return _reply(answer.status, answer.headers, content)

    def _ask_own(self, method: str, target: str, headers: list[tuple[str, str]], body: bytes | None) -> Reply:
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

        def start(status: str, given: list[tuple[str, str]], *_: Any) -> None:
            begun[:] = [int(status.split(" ", 1)[0]), given]

        pieces = self.own(environ, start)
        try:
            content = b"".join(pieces)
        finally:
            close = getattr(pieces, "close", None)
            if close is not None:
                close()
        return _reply(begun[0], begun[1], content)


def _reply(status: int, headers: list[tuple[str, str]], content: bytes) -> Reply:
    named = {name.lower(): value for name, value in headers}
    kind = named.get("content-type", "")
    value = orjson.loads(content) if content and "json" in kind else (content.decode() if content else None)
    return Reply(status, named, value)


def _plain(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)
