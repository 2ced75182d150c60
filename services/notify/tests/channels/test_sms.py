"""SMS through an adapter: another provider is another file, and a text is never more than a value in it."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs

import orjson
import pytest

from notify.channels import Outgoing
from notify.channels.sms import SmsChannel
from notify.channels.sms_adapter import SmsAdapter, WrongAdapter, load

Sent = Callable[..., Outgoing]
PROVIDER = """
url: http://127.0.0.1:{port}/v1/messages
headers: {{Authorization: "Bearer ${{SMS_TOKEN}}"}}
json: {{to: "{{phone}}", content: "{{text}}", id: "{{id}}", options: [{{digits: "{{digits}}"}}]}}
accepted: {{code: [0]}}
temporary: {{code: [5001]}}
reference: data.message_id
idempotent: true
"""


@pytest.fixture
def provider(listening: Any, tmp_path: Path) -> Callable[..., Any]:
    """``provider(status, body)`` → the channel to a provider that answers so, and the requests it heard."""

    def make(status: str, body: bytes, adapter: str = PROVIDER) -> Any:
        heard: list[tuple[str, bytes]] = []

        def answer(connection: Any) -> None:
            head, _, said = connection.recv(65536).partition(b"\r\n\r\n")
            wanted = int(head.lower().partition(b"content-length: ")[2].split(b"\r\n")[0])
            while len(said) < wanted:
                said += connection.recv(65536)
            heard.append((head.decode(), said))
            connection.sendall(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)

        path = tmp_path / "sms.yaml"
        path.write_text(adapter.format(port=listening(answer)))
        return SmsChannel(load(path, {"SMS_TOKEN": "t0ken"}), timedelta(seconds=5)), heard

    return make


def test_a_provider_is_asked_in_its_own_words(provider: Any, outgoing: Sent) -> None:
    channel, heard = provider("200 OK", b'{"code": 0, "data": {"message_id": "m-1"}}')
    text = '王芳，您好！"}{phone} ${SMS_TOKEN}'

    outcome = channel.send(outgoing("+8613800008801", text=text))

    (head, body) = heard[0]
    assert (outcome.kind, outcome.reference, channel.idempotent) == ("sent", "m-1", True)
    assert "Authorization: Bearer t0ken" in head
    assert orjson.loads(body) == {
        "to": "+8613800008801",
        "content": text,
        "id": "0192d3c4-0000-7000-8000-000000000001",
        "options": [{"digits": "8613800008801"}],
    }


def test_a_form_is_a_form(provider: Any, outgoing: Sent) -> None:
    adapter = 'url: http://127.0.0.1:{port}/\nform: {{m: "{{phone}}", c: "【客至】{{text}}"}}\n'
    channel, heard = provider("200 OK", b"OK", adapter)

    outcome = channel.send(outgoing("+8613800008801", text="a&m=+1"))

    assert outcome.kind == "sent"
    assert parse_qs(heard[0][1].decode()) == {"m": ["+8613800008801"], "c": ["【客至】a&m=+1"]}


@pytest.mark.parametrize(
    ("status", "body", "kind", "our_fault"),
    [
        ("200 OK", b'{"code": 5001}', "temporary", False),
        ("200 OK", b'{"code": 4004}', "permanent", False),
        ("200 OK", b"<html>", "temporary", True),
        ("400 Bad Request", b"", "permanent", False),
        ("401 Unauthorized", b"", "temporary", True),
        ("503 Away", b"", "temporary", True),
    ],
)
def test_what_the_provider_answers(
    provider: Any, outgoing: Sent, status: str, body: bytes, kind: str, our_fault: bool
) -> None:
    channel, _ = provider(status, body)

    outcome = channel.send(outgoing("+8613800008801"))

    assert (outcome.kind, outcome.our_fault) == (kind, our_fault)


@pytest.mark.parametrize("number", ["13800008801", "+86 138", "+0123456789", "+8613800008801\n", "", "+" + "1" * 20])
def test_what_is_no_number_is_not_dialled(outgoing: Sent, number: str) -> None:
    channel = SmsChannel(SmsAdapter("http://127.0.0.1:1/", json={}), timedelta(seconds=1))

    assert channel.send(outgoing(number)).kind == "permanent"


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("json: {}", "needs a url"),
        ("url: https://a.example/", "json or form"),
        ("url: https://a.example/\njson: {}\nform: {}", "json or form"),
        ("url: https://a.example/\njson: {}\nsucces: 1", "does not know succes"),
        ("url: https://a.example/\njson: {key: '${NOT_SET}'}", "NOT_SET is not in the environment"),
    ],
)
def test_an_adapter_that_can_not_be_used_says_why(tmp_path: Path, written: str, why: str) -> None:
    path = tmp_path / "sms.yaml"
    path.write_text(written)

    with pytest.raises(WrongAdapter, match=why):
        load(path, {})


def test_a_secret_may_lie_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-a-file\n")
    path = tmp_path / "sms.yaml"
    path.write_text('url: https://a.example/\nheaders: {Key: "${SMS_KEY}"}\njson: {}')

    assert load(path, {"SMS_KEY_FILE": str(tmp_path / "token")}).headers == {"Key": "from-a-file"}
