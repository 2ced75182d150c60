"""From the event to the wire: real texts over real channels, and what stays behind in the database."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import orjson
import pytest
from sqlalchemy import inspect

from notify.channels import ChannelSettings, open_channels
from notify.delivery.sender import Sender
from notify.messages.tables import Message
from notify.templates import Surroundings

TOKEN = "Zm9sbG93LWEtY29tcGxhaW50LWJ5LWxpbms"
AROUND = Surroundings("https://care.example.cn")


@pytest.fixture
def post(office: Any) -> Callable[..., Sender]:
    """``post(…)`` → a sender over the channels that these settings open."""

    def make(**settings: Any) -> Sender:
        return Sender(office.runtime, open_channels(ChannelSettings(**settings), office.clock.now), AROUND)

    return make


def read(mailbox: Any, place: int) -> Any:
    return message_from_bytes(mailbox.mails[place][0].content, policy=policy.default)


def kept(office: Any) -> str:
    """Everything that the messages' rows hold, decrypted."""
    return "".join(
        str(getattr(message, column.key)) for message in office.messages() for column in inspect(Message).column_attrs
    )


@pytest.mark.rule("FR-07")
def test_a_complainant_gets_a_mail_with_a_personal_link_that_stays_nowhere(
    office: Any, post: Any, mailbox: Any, served: Any
) -> None:
    sender = post(smtp_url=f"smtp://localhost:{served()}?starttls=never", smtp_from="客至 <care@example.cn>")
    office.hears(
        office.link("follow", TOKEN, complainant={"name": "<b>https://evil.example</b>", "email": "zhao@example.com"})
    )

    sender.drain()

    mail = read(mailbox, 0)
    plain = mail.get_body(("plain",)).get_content()
    assert mail["To"] == "zhao@example.com"
    assert plain.startswith("您好！")
    assert "evil" not in mail.as_string()
    assert mail["Subject"] == "随时查看您的反馈进展（TS2026-000001）"
    assert f"https://care.example.cn/portal/complaints/{TOKEN}" in plain
    assert TOKEN in mail.get_body(("html",)).get_content()
    assert office.the_message().status == "sent"
    assert TOKEN not in kept(office)
    assert "https://care.example.cn/portal/complaints/•••" in kept(office)


def test_a_server_that_asks_for_patience_gets_the_mail_later_once(
    office: Any, post: Any, mailbox: Any, served: Any
) -> None:
    sender = post(smtp_url=f"smtp://localhost:{served()}?starttls=never", smtp_from="care@example.cn")
    office.hears(office.complaint("received", complainant={"name": "赵敏", "email": "zhao@example.com"}))

    mailbox.on_data = "451 4.3.0 grey-listed"
    sender.drain()
    waiting = office.the_message(route="complaint_received")
    mailbox.on_data = "250 2.0.0 taken"
    office.clock.advance(hours=1)
    sender.drain()
    sender.drain()

    assert (waiting.status, waiting.attempts) == ("temporary_failure", 1)
    assert (office.the_message(route="complaint_received").status, len(mailbox.mails)) == ("sent", 1)
    assert read(mailbox, 0)["Subject"].startswith("我们已收到您的反馈")


def test_a_refused_recipient_is_not_asked_again(office: Any, post: Any, mailbox: Any, served: Any) -> None:
    sender = post(smtp_url=f"smtp://localhost:{served()}?starttls=never", smtp_from="care@example.cn")
    mailbox.recipients["zhao@example.com"] = "550 5.1.1 no such user"
    office.hears(office.complaint("received", complainant={"name": "赵敏", "email": "zhao@example.com"}))

    sender.drain()
    office.clock.advance(days=1)
    sender.drain()

    assert mailbox.mails == []
    (by_mail,) = office.messages(route="complaint_received", channel="email")
    assert (by_mail.status, by_mail.attempts) == ("permanent_failure", 1)


def test_a_code_reaches_the_telephone_and_nothing_else(office: Any, post: Any, api: Any, tmp_path: Path) -> None:
    sender = post(outgoing_dir=tmp_path)
    customer = office.customer()
    body = {
        "template": "one_time_code",
        "class": "service",
        "channel": "sms",
        "recipient": {"customer_id": customer, "phone": "+8613800008801"},
        "data": {"code": "042917", "minutes": 10},
    }

    answer = api().post("messages", body)
    sender.drain()

    (written,) = tmp_path.iterdir()
    sms = orjson.loads(written.read_bytes())
    assert answer.status_code in (201, 202)
    assert (sms["to"], sms["text"].startswith("您的验证码是042917")) == ("+8613800008801", True)
    assert "042917" not in kept(office)
    assert "042917" not in answer.text


def test_a_channel_that_is_away_costs_no_message_its_attempts(office: Any, post: Any, free_address: str) -> None:
    sender = post(smtp_url=f"smtp://{free_address}?starttls=never", smtp_from="care@example.cn")
    for _ in range(20):
        office.hears(office.complaint("received", complainant={"name": "赵敏", "email": "zhao@example.com"}))

    for _ in range(3):
        sender.tick()
        office.clock.advance(seconds=1)

    tried = sum(message.attempts for message in office.messages(channel="email"))
    assert 5 <= tried <= 8  # five failures open the breaker; what was in hand then goes back untried
    assert timedelta(0) < sender.channels["email"].ready()
