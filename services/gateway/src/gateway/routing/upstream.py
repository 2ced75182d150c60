"""One service as the gateway reaches it: kept connections, a bound on how many requests wait for it, a
breaker.

Standard-library ``http.client`` with a small pool of our own: measured beside urllib3 and httpx it adds
least, and a proxy needs none of what they do more (redirects, cookies, decoding).
"""

from __future__ import annotations

import http.client
import select
import socket
import threading
import time
from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from urllib.parse import urlsplit

from gateway.routing.breaker import Breaker

Headers = list[tuple[str, str]]
Body = bytes | Iterator[bytes] | None

CHUNK = 65_536
IDLE_SECONDS = 20.0  # below the services' keep-alive, so that we let go first
CONNECT_SECONDS = 2.0


class Unreachable(Exception):
    """Nobody took the connection, or it broke before an answer."""


class TooSlow(Exception):
    """No answer within the time allowed."""


class Resting(Exception):
    """The breaker is open, or all places for this service are taken."""


class BodyBroken(Exception):
    """The caller's own body broke off while being passed on."""


@dataclass
class Connection:
    """A kept connection and when it was last of use."""

    http: http.client.HTTPConnection
    idle_since: float = field(default_factory=time.monotonic)

    def stale(self) -> bool:
        """Whether the other side has let go (readable while nothing was asked) or may soon."""
        if time.monotonic() - self.idle_since > IDLE_SECONDS or self.http.sock is None:
            return True
        poll = select.poll()
        poll.register(self.http.sock, select.POLLIN)
        return bool(poll.poll(0))


@dataclass
class Answer:
    """Status and headers of an upstream's answer, and its body: whole when small, else a stream that must
    be closed.
    """

    status: int
    reason: str
    headers: Headers
    body: Iterable[bytes]


class Upstream:
    """Carries requests to one service. Thread-safe."""

    def __init__(
        self, name: str, url: str, *, seconds: float = 30.0, places: int = 16, breaker: Breaker | None = None
    ) -> None:
        address = urlsplit(url)
        if address.scheme != "http" or not address.hostname:
            raise ValueError(f"KEZHI_SERVICE_{name.upper()}_URL must be http://host[:port], not {url}")
        self.name = name
        self.host, self.port = address.hostname, address.port or 80
        self.host_header = address.netloc
        self.seconds = seconds
        self.breaker = breaker or Breaker()
        self._idle: deque[Connection] = deque(maxlen=places)
        # A bulkhead: one slow service may hold this many threads of the worker and not all of them.
        self._places = threading.BoundedSemaphore(places)

    def carry(self, method: str, target: str, headers: Headers, body: Body, seconds: float | None = None) -> Answer:
        """Send one request; answers when the response's head is here. Raises Unreachable, TooSlow, Resting.

        Only GET and HEAD are tried a second time, once, and never after a timeout: what may have been
        carried out must not be carried out twice. An iterator as ``body`` is sent in chunks, unless a
        length is among the headers. ``seconds`` is for a caller with less patience than usual, whose
        waiting in vain says nothing about the service's health.
        """
        patience = seconds or self.seconds
        if not self.breaker.admits() or not self._places.acquire(blocking=False):
            raise Resting
        kept = False
        try:
            answer, kept = self._try(method, target, headers, body, patience, fresh=False)
        except Unreachable:
            if method not in ("GET", "HEAD") or body is not None:
                self.breaker.failed()
                raise
            answer, kept = self._again(method, target, headers, patience)
        except TooSlow:
            if seconds is None:
                self.breaker.failed()
            raise
        finally:
            if not kept:
                self._places.release()
        self.breaker.succeeded()
        return answer

    def _again(self, method: str, target: str, headers: Headers, patience: float) -> tuple[Answer, bool]:
        time.sleep(0.05)  # a restarting service is often back by then
        try:
            return self._try(method, target, headers, None, patience, fresh=True)
        except (Unreachable, TooSlow):
            self.breaker.failed()
            raise

    def _try(
        self, method: str, target: str, headers: Headers, body: Body, patience: float, *, fresh: bool
    ) -> tuple[Answer, bool]:
        connection = self._connect() if fresh else self._kept() or self._connect()
        try:
            if connection.http.sock.gettimeout() != patience:
                connection.http.sock.settimeout(patience)
            self._send(connection.http, method, target, headers, body)
            response = connection.http.getresponse()
            if response.length is not None and response.length <= CHUNK:
                whole = response.read()
                self._settle(connection, response)
                return Answer(response.status, response.reason, response.getheaders(), (whole,)), False
            stream = _Stream(self, connection, response)
            return Answer(response.status, response.reason, response.getheaders(), stream), True
        except (BodyBroken, ValueError):  # the caller's mistake: a body that broke off, a header that is none
            connection.http.close()
            raise
        except TimeoutError as slow:
            connection.http.close()
            raise TooSlow from slow
        except (OSError, http.client.HTTPException) as broken:
            connection.http.close()
            raise Unreachable from broken

    def _send(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        target: str,
        headers: Headers,
        body: Body,
    ) -> None:
        connection.putrequest(method, target, skip_host=True, skip_accept_encoding=True)
        connection.putheader("Host", self.host_header)
        for name, value in headers:
            connection.putheader(name, value)
        if body is None or isinstance(body, bytes):
            connection.endheaders(body)
            return
        try:
            connection.endheaders(body, encode_chunked=("Transfer-Encoding", "chunked") in headers)
        except (BrokenPipeError, ConnectionResetError):
            # It may have answered (413, 401) without reading on: that answer is what the caller should see.
            return

    def _connect(self) -> Connection:
        connection = http.client.HTTPConnection(self.host, self.port, timeout=CONNECT_SECONDS)
        try:
            connection.connect()
        except TimeoutError as slow:
            raise TooSlow from slow
        except OSError as away:
            raise Unreachable from away
        connection.sock.settimeout(self.seconds)
        connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        return Connection(connection)

    def _kept(self) -> Connection | None:
        # Last in, first out: what is not needed grows old and is let go.
        while self._idle:
            try:
                connection = self._idle.pop()
            except IndexError:  # another thread took the last one
                return None
            if not connection.stale():
                return connection
            connection.http.close()
        return None

    def _settle(self, connection: Connection, response: http.client.HTTPResponse) -> None:
        if response.will_close or not response.isclosed():
            connection.http.close()
            return
        connection.idle_since = time.monotonic()
        self._idle.append(connection)


class _Stream:
    """A body on its way through, piece by piece as it comes. ``close`` gives connection and place back."""

    def __init__(self, upstream: Upstream, connection: Connection, response: http.client.HTTPResponse) -> None:
        self._upstream, self._connection, self._response = upstream, connection, response
        self._closed = False

    def __iter__(self) -> Iterator[bytes]:
        while piece := self._response.read1(CHUNK):
            yield piece
        if self._response.length:
            # Ending quietly would leave the caller waiting for the rest of the length that it was told.
            raise http.client.IncompleteRead(b"", self._response.length)

    def close(self) -> None:
        """Called by the WSGI server when the answer is through, or the caller has gone."""
        if not self._closed:
            self._closed = True
            self._upstream._settle(self._connection, self._response)
            self._upstream._places.release()
