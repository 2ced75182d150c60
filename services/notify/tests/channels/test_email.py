"""E-mail against a real SMTP server: what arrives, and what each refusal means."""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from typing import Any

import pytest
from aiosmtpd.smtp import AuthResult

from chassis.testkit.private_node import free_port
from notify.channels import Outgoing, mail
from notify.channels.email import EmailChannel

SENDER = mail.sender("客至 <care@example.cn>")
Sent = Callable[..., Outgoing]


def channel(
    port: int, starttls: str = "never", tls: ssl.SSLContext | None = None, user: str = "", seconds: float = 5
) -> EmailChannel:
    server = mail.server(f"smtp://{user}localhost:{port}?starttls={starttls}")
    return EmailChannel(server, SENDER, timedelta(seconds=seconds), tls)


def test_a_mail_arrives_with_plain_text_and_its_alternative(mailbox: Any, served: Any, outgoing: Sent) -> None:
    outcome = channel(served()).send(outgoing("wang.fang@example.com"))

    assert (outcome.kind, outcome.our_fault) == ("sent", False)
    (envelope, _) = mailbox.mails[0]
    found = message_from_bytes(envelope.content, policy=policy.default)
    plain, html = found.get_body(("plain",)), found.get_body(("html",))
    assert (envelope.mail_from, envelope.rcpt_tos) == ("care@example.cn", ["wang.fang@example.com"])
    assert str(found["From"]) == "客至 <care@example.cn>"
    assert found["Subject"] == "我们已收到您的反馈"
    assert plain.get_content().splitlines() == ["王芳，您好！", "", "编号 TS2026-000123。"]
    assert "<p>王芳，您好！</p>" in html.get_content()
    assert found["Message-ID"] == outcome.reference == "<0192d3c4-0000-7000-8000-000000000001@example.cn>"
    assert found["Auto-Submitted"] == "auto-generated"


def test_starttls_is_used_and_the_certificate_is_checked(
    mailbox: Any, served: Any, outgoing: Sent, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    serving, trusting = certificate
    port = served(tls_context=serving, require_starttls=True)

    believed = channel(port, "required", trusting).send(outgoing("a@example.com"))
    doubted = channel(port, "required").send(outgoing("a@example.com"))

    assert believed.kind == "sent"
    assert [encrypted for _, encrypted in mailbox.mails] == [True]
    assert (doubted.kind, doubted.our_fault, doubted.uncertain) == ("temporary", True, False)


def test_nothing_is_handed_over_in_clear_where_starttls_is_required(mailbox: Any, served: Any, outgoing: Sent) -> None:
    outcome = channel(served(), "required").send(outgoing("a@example.com"))

    assert (outcome.kind, outcome.our_fault) == ("temporary", True)
    assert "STARTTLS" in str(outcome.reason)
    assert mailbox.mails == []


def test_tls_from_the_first_byte(
    listening: Any, outgoing: Sent, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    serving, trusting = certificate
    heard: list[bytes] = []

    def answer(connection: Any) -> None:
        connection.sendall(b"220 ready\r\n")
        replies = iter(
            [b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n", b"250 taken\r\n", b"221 bye\r\n"]
        )
        while line := connection.recv(65536):
            heard.append(line)
            connection.sendall(next(replies))

    port = listening(answer, serving)
    server = mail.server(f"smtps://localhost:{port}")

    outcome = EmailChannel(server, SENDER, timedelta(seconds=5), trusting).send(outgoing("a@example.com"))

    assert outcome.kind == "sent", outcome
    assert heard[0].startswith(b"ehlo example.cn")


@pytest.mark.parametrize(
    ("reply", "kind"),
    [
        ("550 5.1.1 no such user", "permanent"),
        ("552 5.2.2 mailbox full", "permanent"),
        ("450 4.2.0 grey-listed, come again", "temporary"),
        ("452 4.2.2 too many", "temporary"),
    ],
)
def test_a_refused_recipient_is_permanent_by_5xx_and_temporary_by_4xx(
    mailbox: Any, served: Any, outgoing: Sent, reply: str, kind: str
) -> None:
    mailbox.recipients["nobody@example.com"] = reply

    outcome = channel(served()).send(outgoing("nobody@example.com"))

    assert (outcome.kind, outcome.uncertain, outcome.our_fault) == (kind, False, False)
    assert str(outcome.reason) == reply


@pytest.mark.parametrize(
    ("reply", "kind", "our_fault"),
    [
        ("554 5.7.1 looks like spam", "permanent", False),
        ("451 4.3.0 queue full", "temporary", False),
        ("421 4.3.2 closing", "temporary", True),
    ],
)
def test_a_refused_text(mailbox: Any, served: Any, outgoing: Sent, reply: str, kind: str, our_fault: bool) -> None:
    mailbox.on_data = reply

    outcome = channel(served()).send(outgoing("a@example.com"))

    assert (outcome.kind, outcome.our_fault, outcome.uncertain) == (kind, our_fault, False)


def test_a_refused_login_is_our_trouble_and_not_the_recipients(served: Any, outgoing: Sent) -> None:
    port = served(authenticator=lambda *_: AuthResult(success=False), auth_require_tls=False)

    outcome = channel(port, user="kezhi:wrong@").send(outgoing("a@example.com"))

    assert (outcome.kind, outcome.our_fault) == ("temporary", True)
    assert "wrong" not in str(outcome.reason)


def test_a_server_that_is_away_is_our_trouble(outgoing: Sent) -> None:
    outcome = channel(free_port()).send(outgoing("a@example.com"))

    assert (outcome.kind, outcome.our_fault, outcome.uncertain) == ("temporary", True, False)


def test_a_server_that_breaks_off_after_the_text_may_have_the_mail(listening: Any, outgoing: Sent) -> None:
    def answer(connection: Any) -> None:
        connection.sendall(b"220 ready\r\n")
        for reply in (b"250 hello\r\n", b"250 ok\r\n", b"250 ok\r\n", b"354 go\r\n"):
            connection.recv(65536)
            connection.sendall(reply)
        connection.recv(65536)
        connection.close()

    outcome = channel(listening(answer)).send(outgoing("a@example.com"))

    assert (outcome.kind, outcome.uncertain) == ("temporary", True)


def test_a_server_that_drips_is_given_up_in_time(listening: Any, outgoing: Sent) -> None:
    def answer(connection: Any) -> None:
        for _ in range(100):
            connection.sendall(b"2")
            time.sleep(0.1)

    began = time.monotonic()
    outcome = channel(listening(answer), seconds=0.5).send(outgoing("a@example.com"))

    assert (outcome.kind, outcome.uncertain) == ("temporary", False)
    assert time.monotonic() - began < 3


@pytest.mark.parametrize(
    "address",
    [
        "nobody", "a@b@example.com", "a@localhost", "a b@example.com", "a@example.com\r\nBcc: b@example.com",
        "a@example.com\n", "<a@example.com>", "a@example.com, b@example.com", "@example.com",
        "x" * 250 + "@example.com",
    ],
)  # fmt: skip
def test_what_is_no_address_never_leaves(mailbox: Any, served: Any, outgoing: Sent, address: str) -> None:
    outcome = channel(served()).send(outgoing(address))

    assert outcome.kind == "permanent"
    assert mailbox.mails == []


def test_an_address_in_chinese_needs_a_server_that_takes_it(mailbox: Any, served: Any, outgoing: Sent) -> None:
    taken = channel(served(enable_SMTPUTF8=True)).send(outgoing("王芳@例子.中国"))
    refused = channel(served(enable_SMTPUTF8=False)).send(outgoing("王芳@例子.中国"))

    assert (taken.kind, refused.kind) == ("sent", "permanent")
    assert mailbox.mails[0][0].rcpt_tos == ["王芳@xn--fsqu00a.xn--fiqs8s"]


@pytest.mark.parametrize("url", ["http://host", "smtp://", "smtp://host?starttls=perhaps"])
def test_a_wrong_url_is_told_at_start(url: str) -> None:
    with pytest.raises(ValueError, match="KEZHI_SMTP_URL"):
        mail.server(url)
