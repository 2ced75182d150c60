"""One request of the gateway's own, put to a service in somebody's name: its JSON, or why there is none.

For what the gateway does beside carrying requests: the portal's errands and its one-time codes, whose callers have no
token of their own and less patience than the proxy.
"""

from __future__ import annotations

import http.client
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from gateway.routing.upstream import Answer, Headers, Resting, TooSlow, Unreachable, Upstream

LARGEST = 4 * 1024 * 1024  # bytes of one answer that is taken apart here


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
    """One per process, over the proxy's own connections. Thread-safe."""

    def __init__(self, upstreams: Mapping[str, Upstream]) -> None:
        self.upstreams = upstreams

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
    except (OSError, http.client.HTTPException):  # it broke off in the middle
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
