"""What the gateway's tests stand on: small real HTTP upstreams, the gateway served for real, a founded company."""

from __future__ import annotations

import http.client
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from werkzeug.serving import WSGIRequestHandler, make_server

from chassis.runtime import Runtime
from gateway.bootstrap import build_service
from gateway.people.founding import found_company
from gateway.signin.keys import published

ADMIN_PASSWORD = "correct-horse-battery"


@dataclass
class Seen:
    """One request as an upstream got it."""

    method: str
    target: str
    headers: dict[str, str]
    body: bytes


@dataclass
class FakeService:
    """An HTTP/1.1 service that answers as it is told, and remembers what it was asked."""

    url: str
    seen: list[Seen] = field(default_factory=list)
    answer: Callable[[BaseHTTPRequestHandler], None] | None = None

    @property
    def port(self) -> int:
        return int(self.url.rsplit(":", 1)[1])


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    fake: FakeService

    def log_message(self, *_: Any) -> None:
        pass

    def handle_any(self) -> None:
        if self.fake.answer is not None:
            self.fake.answer(self)
            return
        self.note()
        reply(self, 200, json.dumps({"from": self.fake.url}).encode())

    def note(self) -> None:
        self.fake.seen.append(Seen(self.command, self.path, dict(self.headers.items()), b"".join(self.pieces())))

    def pieces(self) -> Iterator[bytes]:
        """The request's body as it comes in."""
        if self.headers.get("Transfer-Encoding") == "chunked":
            while size := int(self.rfile.readline(), 16):
                yield self.rfile.read(size)
                self.rfile.readline()
            self.rfile.readline()
            return
        remaining = int(self.headers.get("Content-Length") or 0)
        while remaining:
            piece = self.rfile.read(min(remaining, 10_000))
            remaining -= len(piece)
            yield piece

    do_GET = do_POST = do_PUT = do_PATCH = do_DELETE = do_HEAD = handle_any  # noqa: N815 - http.server's names


def reply(handler: BaseHTTPRequestHandler, status: int, body: bytes, **headers: str) -> None:
    """A whole answer, JSON unless ``Content_Type`` says otherwise; header names are written with underscores."""
    handler.send_response(status)
    for name, value in {"Content_Type": "application/json", **headers}.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


@pytest.fixture
def fake_service() -> Iterator[Callable[..., FakeService]]:
    """``fake_service(answer=None)`` → a running upstream."""
    servers: list[ThreadingHTTPServer] = []

    def start(answer: Callable[[Any], None] | None = None) -> FakeService:
        fake = FakeService("", answer=answer)
        server = ThreadingHTTPServer(("127.0.0.1", 0), type("Handler", (_Handler,), {"fake": fake}))
        server.daemon_threads = True
        fake.url = f"http://127.0.0.1:{server.server_address[1]}"
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return fake

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class _Http11(WSGIRequestHandler):
    protocol_version = "HTTP/1.1"

    def log(self, *_: Any) -> None:
        pass


@pytest.fixture
def served() -> Iterator[Callable[[Any], int]]:
    """``served(wsgi_app)`` → the port where it answers."""
    servers: list[Any] = []

    def start(app: Any) -> int:
        server = make_server("127.0.0.1", 0, app, threaded=True, request_handler=_Http11)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        servers.append(server)
        return int(server.port)

    yield start
    for server in servers:
        server.shutdown()


def ask(
    port: int, method: str, target: str, body: Any = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], bytes]:
    """One request over a connection of its own; header names of the answer in lower case."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    connection.request(method, target, body, headers or {})
    response = connection.getresponse()
    answered = response.status, {k.lower(): v for k, v in response.getheaders()}, response.read()
    connection.close()
    return answered


@dataclass
class Company:
    """A founded installation of the gateway, and a client without a token."""

    runtime: Runtime
    http: Any

    def sign_in(self, username: str = "admin", password: str = ADMIN_PASSWORD) -> Any:
        return self.http.post("/api/v1/auth/token", json={"username": username, "password": password})

    def bearer(self, username: str = "admin", password: str = ADMIN_PASSWORD) -> dict[str, str]:
        return {"Authorization": "Bearer " + self.sign_in(username, password).json["access_token"]}

    def post(self, path: str, body: Any, **headers: str) -> Any:
        return self.http.post(f"/api/v1/{path}", json=body, headers={**self.admin, **headers})

    def get(self, path: str) -> Any:
        return self.http.get(f"/api/v1/{path}", headers=self.admin)

    def patch(self, path: str, body: Any) -> Any:
        tag = self.get(path).headers["ETag"]
        return self.http.patch(f"/api/v1/{path}", json=body, headers={**self.admin, "If-Match": tag})

    @property
    def admin(self) -> dict[str, str]:
        return self.bearer()


@pytest.fixture
def company(make_runtime: Callable[..., Runtime], client: Callable[..., Any], tmp_path: Path) -> Company:
    """The gateway on its first day, trusting its own keys alone."""
    jwks = tmp_path / "jwks.json"
    runtime = make_runtime(build_service, jwks_url=f"file:{jwks}")
    with runtime.context() as context:
        found_company(context.session, ADMIN_PASSWORD)
        jwks.write_text(json.dumps(published(context.session, context.clock)))
    return Company(runtime, client(runtime, roles=None))
