"""Asking several services at once for one caller: what came within the deadline, and by name what did not.

The caller's own token goes with every question, so that each service decides for itself what they may see. Who does
not answer in time is left behind; the others' answers are shown.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from io import BytesIO
from typing import Any
from urllib.parse import urlencode

import orjson

from gateway.routing.upstream import Answer, Headers, Resting, TooSlow, Unreachable, Upstream

OWN = "gateway"
API = "/api/v1/"
LARGEST = 4 * 1024 * 1024  # bytes of one answer that is taken apart here
THREADS = 32  # of one process: they only wait

Inner = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]


@dataclass(frozen=True)
class Question:
    """One GET: ``path`` below ``/api/v1/``; parameters that are None are left out."""

    service: str
    path: str
    query: Mapping[str, Any] | None = None

    @property
    def target(self) -> str:
        """Path and query as they are sent."""
        given = {name: _written(value) for name, value in (self.query or {}).items() if value is not None}
        return f"{API}{self.path}?{urlencode(given)}" if given else API + self.path


@dataclass(frozen=True)
class Answered:
    """A service's answer, whatever it says. ``body``: the JSON, None where there is none."""

    status: int
    body: Any

    @property
    def granted(self) -> bool:
        """Did it say what was asked?"""
        return self.status < 400


@dataclass(frozen=True)
class Missing:
    """Why a service's part is not there: ``unreachable``, ``too_slow``, ``resting``, ``not_connected``, ``failed``."""

    service: str
    reason: str

    granted = False
    status = 0


Outcome = Answered | Missing


class Switchboard:
    """One per process; its threads are shared. ``inner`` answers what the gateway owns itself."""

    def __init__(self, upstreams: Mapping[str, Upstream], inner: Inner | None = None) -> None:
        self.upstreams = upstreams
        self.inner = inner
        self._pool = ThreadPoolExecutor(THREADS, thread_name_prefix="asking")

    def ask_all(
        self, questions: Mapping[str, Question], authorization: str, request_id: str, seconds: float
    ) -> dict[str, Outcome]:
        """All at once; ends after ``seconds`` with whatever is there by then."""
        begun = time.monotonic()
        asked: dict[str, Future[Outcome]] = {
            part: self._pool.submit(self.ask, question, authorization, request_id, seconds)
            for part, question in questions.items()
        }
        wait(asked.values(), timeout=max(0.0, seconds - (time.monotonic() - begun)))
        found: dict[str, Outcome] = {}
        for part, future in asked.items():
            future.cancel()  # what no thread has taken up yet need not be asked any more
            in_time = future.done() and not future.cancelled()
            found[part] = future.result() if in_time else Missing(questions[part].service, "too_slow")
        return found

    def ask(self, question: Question, authorization: str, request_id: str, seconds: float) -> Outcome:
        """One question and its answer."""
        return self.send("GET", question.service, question.target, authorization, request_id, seconds=seconds)

    def send(
        self,
        method: str,
        service: str,
        target: str,
        authorization: str,
        request_id: str,
        body: Any = None,
        headers: Headers | None = None,
        seconds: float = 10.0,
    ) -> Outcome:
        """One request as somebody; the answer's JSON, or why there is none."""
        sent: Headers = [("Authorization", authorization), ("X-Request-Id", request_id), *(headers or [])]
        content = None if body is None else orjson.dumps(body)
        if content is not None:
            sent += [("Content-Type", "application/json"), ("Content-Length", str(len(content)))]
        elif method != "GET":
            sent.append(("Content-Length", "0"))
        if service == OWN and self.inner is not None:
            return _by_ourselves(self.inner, method, target, sent, content)
        upstream = self.upstreams.get(service)
        if upstream is None:
            return Missing(service, "not_connected")
        try:
            return _read(service, upstream.carry(method, target, sent, content, seconds))
        except Resting:
            return Missing(service, "resting")
        except TooSlow:
            return Missing(service, "too_slow")
        except Unreachable:
            return Missing(service, "unreachable")


def _read(service: str, answer: Answer) -> Outcome:
    size, pieces = 0, []
    try:
        for piece in answer.body:
            size += len(piece)
            if size > LARGEST:
                return Missing(service, "failed")
            pieces.append(piece)
    except OSError:
        return Missing(service, "unreachable")
    finally:
        if (close := getattr(answer.body, "close", None)) is not None:
            close()
    return _understood(service, answer.status, b"".join(pieces))


def _understood(service: str, status: int, content: bytes) -> Outcome:
    if status >= 500:
        return Missing(service, "failed")
    try:
        return Answered(status, orjson.loads(content) if content else None)
    except orjson.JSONDecodeError:
        return Missing(service, "failed")


def _by_ourselves(inner: Inner, method: str, target: str, headers: Headers, content: bytes | None) -> Outcome:
    path, _, query = target.partition("?")
    environ: dict[str, Any] = {
        "REQUEST_METHOD": method,
        "SCRIPT_NAME": "",
        "PATH_INFO": path,
        "QUERY_STRING": query,
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "REMOTE_ADDR": "127.0.0.1",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.input": BytesIO(content or b""),
        "wsgi.errors": BytesIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
    }
    for name, value in headers:
        key = name.upper().replace("-", "_")
        environ[key if key in ("CONTENT_TYPE", "CONTENT_LENGTH") else f"HTTP_{key}"] = value
    statuses: list[str] = []
    pieces = inner(environ, lambda status, _headers, _exc=None: statuses.append(status))
    try:
        whole = b"".join(pieces)
    finally:
        if (close := getattr(pieces, "close", None)) is not None:
            close()
    return _understood(OWN, int(statuses[0][:3]), whole)


def _written(value: Any) -> str:
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
