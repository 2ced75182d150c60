"""Webhooks against real servers: what they get, where they may be, and what is made of their answers."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import orjson
import pytest

from notify.channels import Outgoing, http, signing
from notify.channels.addresses import Reach, Refused, target
from notify.channels.webhook import WebhookChannel, content

LOOPBACK = Reach.of(["127.0.0.0/8"])
Sent = Callable[..., Outgoing]


class Receiver:
    """Answers every request alike and keeps what it heard."""

    def __init__(self, answer: bytes) -> None:
        self.answer = answer
        self.heard: list[bytes] = []

    def __call__(self, connection: Any) -> None:
        heard = b""
        while b"\r\n\r\n" not in heard or len(heard.partition(b"\r\n\r\n")[2]) < _length(heard):
            heard += connection.recv(65536)
        self.heard.append(heard)
        connection.sendall(self.answer)


def _length(request: bytes) -> int:
    (line,) = [line for line in request.split(b"\r\n") if line.lower().startswith(b"content-length:")]
    return int(line.partition(b":")[2])


def answering(status: str, *headers: str) -> Receiver:
    return Receiver("\r\n".join([f"HTTP/1.1 {status}", "Content-Length: 0", *headers, "", ""]).encode())


def channel(reach: Reach = LOOPBACK, seconds: float = 5, tls: ssl.SSLContext | None = None) -> WebhookChannel:
    return WebhookChannel(["s3cret", "older"], reach, timedelta(seconds=seconds), tls)


def test_a_receiver_can_tell_who_sent_it_and_that_it_came_before(listening: Any, outgoing: Sent) -> None:
    receiver = answering("200 OK")
    message = outgoing(f"http://127.0.0.1:{listening(receiver)}/hooks?from=kezhi")

    outcome = channel().send(message)

    head, _, body = receiver.heard[0].partition(b"\r\n\r\n")
    line, *rest = head.decode().split("\r\n")
    headers = dict(header.split(": ", 1) for header in rest)
    assert (outcome.kind, outcome.reference) == ("delivered", "HTTP 200")
    assert line == "POST /hooks?from=kezhi HTTP/1.1"
    assert orjson.loads(body)["text"] == message.rendered.text
    assert headers["Idempotency-Key"] == message.idempotency_key
    given = (headers["Kezhi-Timestamp"], headers["Kezhi-Signature"], body)
    assert signing.authentic(["s3cret"], *given, now=message.at)
    assert not signing.authentic(["older"], *given, now=message.at)
    assert not signing.authentic(["s3cret"], *given, now=message.at + timedelta(minutes=6))
    assert not signing.authentic(["s3cret"], *given[:2], body + b" ", now=message.at)


@pytest.mark.parametrize(
    ("status", "kind"),
    [
        ("204 No Content", "delivered"), ("400 Bad Request", "permanent"), ("404 Not Found", "permanent"),
        ("410 Gone", "permanent"), ("408 Timeout", "temporary"), ("429 Too Many", "temporary"),
        ("500 Oops", "temporary"), ("503 Away", "temporary"),
    ],
)  # fmt: skip
def test_what_an_answer_means(listening: Any, outgoing: Sent, status: str, kind: str) -> None:
    outcome = channel().send(outgoing(f"http://127.0.0.1:{listening(answering(status))}/"))

    assert outcome.kind == kind
    assert not outcome.our_fault  # one receiver's trouble closes no door to the others


def test_patience_that_is_asked_for_is_given_up_to_a_day(listening: Any, outgoing: Sent) -> None:
    port = listening(answering("503 Away", "Retry-After: 120"))
    far = listening(answering("429 Slow", "Retry-After: 99999999"))
    dated = listening(answering("503 Away", "Retry-After: Fri, 20 Nov 2026 02:10:00 GMT"))

    patience = [channel().send(outgoing(f"http://127.0.0.1:{to}/")).retry_after for to in (port, far, dated)]

    assert patience == [timedelta(minutes=2), timedelta(days=1), timedelta(minutes=10)]


def test_a_redirect_is_not_followed(listening: Any, outgoing: Sent) -> None:
    secret = answering("200 OK")
    port = listening(answering("302 Found", f"Location: http://127.0.0.1:{listening(secret)}/"))

    outcome = channel().send(outgoing(f"http://127.0.0.1:{port}/"))

    assert outcome.kind == "permanent"
    assert secret.heard == []


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/", "https://127.0.0.1:{port}/", "https://localhost:{port}/", "https://2130706433:{port}/",
        "https://0x7f.1:{port}/", "https://[::1]:{port}/", "https://[::ffff:127.0.0.1]:{port}/", "https://0.0.0.0:{port}/",
    ],
)  # fmt: skip
def test_private_addresses_are_refused_by_default_however_they_are_written(
    listening: Any, outgoing: Sent, url: str
) -> None:
    receiver = answering("200 OK")

    outcome = channel(Reach()).send(outgoing(url.format(port=listening(receiver))))

    assert outcome.kind in ("permanent", "temporary")
    assert receiver.heard == []
    if outcome.kind == "temporary":
        assert "resolved" in str(outcome.reason)


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "172.16.5.4", "192.168.1.1", "169.254.169.254", "100.64.0.1", "127.8.8.8", "0.0.0.0",  # noqa: S104
        "224.0.0.1", "255.255.255.255", "198.18.0.1", "::", "::1", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:10.0.0.1", "2002:0a00:0001::1", "64:ff9b::a00:1", "64:ff9b:1::1", "::10.0.0.1",
        "2001:0:4136:e378:8000:63bf:3fff:fdd2",
    ],
)  # fmt: skip
def test_what_is_not_on_the_internet_is_refused(address: str) -> None:
    with pytest.raises(Refused):
        Reach().check(target("https://hooks.example.com/"), [address])
    with pytest.raises(Refused):  # one bad address among good ones is enough
        Reach().check(target("https://hooks.example.com/"), ["93.184.216.34", address])


@pytest.mark.parametrize("address", ["93.184.216.34", "2606:2800:220:1:248:1893:25c8:1946", "64:ff9b::5db8:d822"])
def test_what_is_on_the_internet_is_asked_by_https_only(address: str) -> None:
    assert Reach().check(target("https://hooks.example.com/"), [address]) == address
    with pytest.raises(Refused, match="https"):
        Reach().check(target("http://hooks.example.com/"), [address])


@pytest.mark.parametrize(
    "url",
    [
        "", "ftp://example.com/", "https://", "https:///x", "https://user:secret@example.com/", "https://example.com/#part",
        "https://example.com\\@10.0.0.1/", "https://example.com/a b", "https://example.com/\r\nX: y", "https://例子.中国/",
        "https://example.com:port/", "https://example.com:99999/", "//example.com/", "https://" + "a" * 2000,
    ],
)  # fmt: skip
def test_what_is_no_plain_url_is_refused(url: str) -> None:
    with pytest.raises(Refused):
        target(url)


def test_the_name_is_looked_up_once_and_the_checked_address_is_the_one_asked(
    listening: Any, outgoing: Sent, monkeypatch: pytest.MonkeyPatch
) -> None:
    receiver = answering("200 OK")
    port = listening(receiver)
    answers = iter([["127.0.0.1"], ["10.0.0.1"]])  # a name server that changes its mind between check and use
    asked: list[str] = []

    def look_up(host: str, port: int, **_: Any) -> list[Any]:
        asked.append(host)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in next(answers)]

    monkeypatch.setattr(http.socket, "getaddrinfo", _only_for("hooks.test", look_up))

    outcome = channel().send(outgoing(f"http://hooks.test:{port}/"))

    assert outcome.kind == "delivered"
    assert asked == ["hooks.test"]
    assert f"Host: hooks.test:{port}".encode() in receiver.heard[0]


def _only_for(name: str, look_up: Callable[..., list[Any]]) -> Callable[..., list[Any]]:
    real = socket.getaddrinfo

    def choose(host: Any, *args: Any, **more: Any) -> list[Any]:
        return look_up(host, *args, **more) if host == name else real(host, *args, **more)

    return choose


def test_the_certificate_must_be_the_names(
    listening: Any, outgoing: Sent, certificate: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    serving, trusting = certificate
    receiver = answering("200 OK")
    port = listening(receiver, serving)

    right = channel(tls=trusting).send(outgoing(f"https://localhost:{port}/"))
    other = channel(tls=trusting).send(outgoing(f"https://127.0.0.1:{port}/"))
    unknown = channel().send(outgoing(f"https://localhost:{port}/"))

    assert [outcome.kind for outcome in (right, other, unknown)] == ["delivered", "temporary", "temporary"]
    assert len(receiver.heard) == 1


def _drips(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n")
    for _ in range(200):
        connection.sendall(b"X")
        time.sleep(0.05)


def _silent(connection: Any) -> None:
    time.sleep(5)


def _endless(connection: Any) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\n\r\n")
    while True:
        connection.sendall(b"x" * 65536)


@pytest.mark.parametrize("answer", [_drips, _silent])
def test_a_slow_receiver_is_given_up_in_time(listening: Any, outgoing: Sent, answer: Any) -> None:
    began = time.monotonic()
    outcome = channel(seconds=0.5).send(outgoing(f"http://127.0.0.1:{listening(answer)}/"))

    assert (outcome.kind, outcome.uncertain, outcome.reason) == ("temporary", True, "no answer in time")
    assert time.monotonic() - began < 3


def test_a_slow_handshake_is_given_up_in_time(listening: Any, outgoing: Sent) -> None:
    began = time.monotonic()
    outcome = channel(seconds=0.5).send(outgoing(f"https://127.0.0.1:{listening(_drips)}/"))

    assert (outcome.kind, outcome.uncertain) == ("temporary", False)
    assert time.monotonic() - began < 3


def test_an_endless_answer_is_read_up_to_the_limit(listening: Any, outgoing: Sent) -> None:
    began = time.monotonic()
    outcome = channel().send(outgoing(f"http://127.0.0.1:{listening(_endless)}/"))

    assert outcome.kind == "delivered"
    assert time.monotonic() - began < 3


def test_every_attempt_posts_the_same_bytes(outgoing: Sent) -> None:
    assert content(outgoing("https://a.example/")) == content(outgoing("https://a.example/"))
