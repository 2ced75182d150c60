"""What the pages ask of the services: with the reader's own token, so that each service guards its own.

Each question goes through the switchboard (``routing/switchboard.py``); here is what a page needs beside it.
A page asks many at once and shows what came (``fan_out``); who did not answer in time is a ``Missing`` with the
service's name, never a reason to show nothing. A problem+json becomes ``Refused``, in the service's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from gateway.routing.switchboard import API, ITSELF, Missing, Reply, Switchboard, Wsgi
from gateway.routing.table import owner_of
from gateway.routing.upstream import Upstream

__all__ = ["API", "Backend", "Missing", "Part", "Question", "Refused", "Reply"]

DEADLINE = 2.5  # seconds that a page waits for its parts
THREADS = 32
_POOL = ThreadPoolExecutor(max_workers=THREADS, thread_name_prefix="fan-out")


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
        if asked := {
            name.rstrip("_"): _plain(value) for name, value in (query or {}).items() if value not in (None, "")
        }:
            path += "?" + urlencode(asked)
        headers = [("X-Forwarded-For", self.address)] if self.address else []
        if etag:
            headers.append(("If-Match", etag))
        reply = Switchboard(self.upstreams, self.own).send(
            method, path, token=self.token, request_id=self.request_id, body=body, key=key, headers=headers,
            seconds=seconds,
        )  # fmt: skip
        if not reply.granted:
            raise Refused(reply.status, reply.problem)
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
                parts[name] = Part(missing=Missing(owner_of(API + path) or ITSELF, "slow"))
        return parts

    def _part(self, path: str, query: Mapping[str, Any], seconds: float) -> Part:
        try:
            return Part(self.ask("GET", path, query=query, seconds=seconds).value)
        except Missing as missing:
            return Part(missing=missing)
        except Refused as refused:
            return Part(refused=refused)


def _plain(value: Any) -> str:
    return "true" if value is True else "false" if value is False else str(value)
