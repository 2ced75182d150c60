"""Servers to talk to: real ones, on loopback, that do as the test says."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from chassis.testkit.private_node import free_port
from notify.channels import Outgoing
from notify.templates import Rendered

AT = datetime(2026, 11, 20, 2, tzinfo=UTC)


@pytest.fixture
def outgoing() -> Callable[..., Outgoing]:
    """``outgoing(address, subject=…, text=…, html=…)`` → one message on its way."""

    def make(address: str, message_id: str = "0192d3c4-0000-7000-8000-000000000001", **said: Any) -> Outgoing:
        values: dict[str, Any] = {
            "key": "complaint_received", "channel": "email", "locale": "zh-CN", "version": 0,
            "subject": "我们已收到您的反馈", "text": "王芳，您好！\n\n编号 TS2026-000123。",
            "html": "<p>王芳，您好！</p>", **said,
        }  # fmt: skip
        rendered = Rendered(stored_subject=values["subject"], stored_text=values["text"], **values)
        return Outgoing(message_id, address, rendered, message_id, AT)

    return make


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's context with a certificate for ``localhost``, and the context of someone who trusts it."""
    folder: Path = tmp_path_factory.mktemp("tls")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = folder / "server.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    pem.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(pem)
    trusting = ssl.create_default_context(cafile=str(pem))
    return serving, trusting


@pytest.fixture
def listening() -> Iterator[Callable[..., int]]:
    """``listening(answer)`` → the port of a server that hands each connection to ``answer``."""
    import socketserver
    import threading

    servers: list[socketserver.ThreadingTCPServer] = []

    def start(answer: Callable[[Any], None], tls: ssl.SSLContext | None = None) -> int:
        class Handler(socketserver.BaseRequestHandler):
            def handle(self) -> None:
                connection = tls.wrap_socket(self.request, server_side=True) if tls else self.request
                answer(connection)

        class Server(socketserver.ThreadingTCPServer):
            daemon_threads = True
            block_on_close = False

            def handle_error(self, request: Any, client_address: Any) -> None:
                """The other side went away: that is what some tests are about."""

        server = Server(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        return int(server.server_address[1])

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


class Mailbox:
    """A server's handler: keeps what arrives, and refuses what it is told to refuse."""

    def __init__(self) -> None:
        self.mails: list[Any] = []
        self.recipients: dict[str, str] = {}
        self.on_data = "250 2.0.0 taken"

    async def handle_RCPT(self, server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
        if address in self.recipients:
            return self.recipients[address]
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        if self.on_data.startswith("250"):
            self.mails.append((envelope, session.ssl is not None))
        return self.on_data


@pytest.fixture
def mailbox() -> Mailbox:
    return Mailbox()


@pytest.fixture
def served(mailbox: Mailbox) -> Iterator[Callable[..., int]]:
    """``served(…)`` → the port of an SMTP server in front of the mailbox."""
    running: list[Controller] = []

    def start(**options: Any) -> int:
        class Listening(Controller):
            def factory(self) -> SMTP:
                return SMTP(self.handler, hostname="localhost", **options)

        controller = Listening(mailbox, hostname="127.0.0.1", port=0)
        controller.port = free_port()
        controller.start()
        running.append(controller)
        return int(controller.port)

    yield start
    for controller in running:
        controller.stop()


@pytest.fixture
def free_address() -> str:
    """A port of this machine where nobody listens."""
    return f"127.0.0.1:{free_port()}"
