"""Pace and breaker: a channel is neither flooded nor asked while it is out of order."""

from __future__ import annotations

import stat
from collections.abc import Callable
from datetime import timedelta
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import orjson
import pytest

from chassis.clock import FakeClock
from notify.channels import ChannelSettings, Guarded, Limits, Outcome, Outgoing, open_channels

Sent = Callable[..., Outgoing]
AWAY = Outcome("temporary", reason="away", our_fault=True)
SECOND = timedelta(seconds=1)


class Provider:
    """Answers as it is told."""

    name, idempotent = "sms", False

    def __init__(self, *outcomes: Outcome) -> None:
        self.outcomes = list(outcomes)
        self.asked = 0

    def send(self, outgoing: Outgoing) -> Outcome:
        self.asked += 1
        return self.outcomes.pop(0) if self.outcomes else Outcome("sent")


def test_a_channel_takes_its_pace_and_bursts_a_little(clock: FakeClock, outgoing: Sent) -> None:
    channel = Guarded(Provider(), Limits(per_minute=60), clock.now)
    waits = []
    for _ in range(8):
        waits.append(channel.ready())
        channel.send(outgoing("+8613800008801"))

    assert waits == [timedelta(0)] * 6 + [SECOND, 2 * SECOND]
    clock.advance(seconds=3)
    assert channel.ready() == timedelta(0)


def test_no_limit_is_no_wait(clock: FakeClock, outgoing: Sent) -> None:
    channel = Guarded(Provider(), Limits(per_minute=0), clock.now)
    for _ in range(1000):
        channel.send(outgoing("+8613800008801"))

    assert channel.ready() == timedelta(0)


def test_the_breaker_opens_after_failures_in_a_row_and_lets_one_try_through(clock: FakeClock, outgoing: Sent) -> None:
    provider = Provider(*[AWAY] * 4)
    channel = Guarded(provider, Limits(per_minute=0, failures=3, pause=timedelta(seconds=30)), clock.now)
    for _ in range(3):
        assert channel.ready() == timedelta(0)
        channel.send(outgoing("+8613800008801"))

    assert (channel.in_order, channel.ready()) == (False, timedelta(seconds=30))

    clock.advance(seconds=30)
    assert channel.ready() == timedelta(0)
    channel.send(outgoing("+8613800008801"))  # the try, and it fails
    assert channel.ready() == timedelta(seconds=30)

    clock.advance(seconds=30)
    channel.send(outgoing("+8613800008801"))  # the next one succeeds
    assert (channel.in_order, channel.ready(), provider.asked) == (True, timedelta(0), 5)


@pytest.mark.parametrize("outcome", [Outcome("permanent", reason="no such user"), Outcome("temporary", reason="grey")])
def test_a_refused_recipient_says_nothing_against_the_channel(
    clock: FakeClock, outgoing: Sent, outcome: Outcome
) -> None:
    channel = Guarded(Provider(AWAY, outcome, AWAY), Limits(per_minute=0, failures=2), clock.now)
    for _ in range(3):
        channel.send(outgoing("+8613800008801"))

    assert channel.in_order


def test_without_providers_messages_become_files_that_people_can_read(
    clock: FakeClock, outgoing: Sent, tmp_path: Path
) -> None:
    folder = tmp_path / "outgoing"
    channels = open_channels(ChannelSettings(outgoing_dir=folder), clock.now)

    mailed = channels["email"].send(outgoing("wang.fang@example.com"))
    texted = [channels["sms"].send(outgoing("+8613800008801", channel="sms", html=None)) for _ in range(2)]

    written = message_from_bytes((folder / str(mailed.reference)).read_bytes(), policy=policy.default)
    sms = folder / str(texted[0].reference)
    assert set(channels) == {"email", "sms", "file"}
    assert written["To"] == "wang.fang@example.com"
    assert orjson.loads(sms.read_bytes())["to"] == "+8613800008801"
    assert texted[0] == texted[1]
    assert len(list(folder.iterdir())) == 2  # an attempt made twice leaves one file
    assert stat.S_IMODE(sms.stat().st_mode) == 0o600


def test_only_what_is_configured_can_be_used(clock: FakeClock) -> None:
    assert set(open_channels(ChannelSettings(), clock.now)) == set()
    with_mail = ChannelSettings(smtp_url="smtp://mail.example.cn", smtp_from="Kezhi <care@example.cn>")
    with_hooks = ChannelSettings(webhook_secrets=("s3cret",), webhook_networks=("10.0.0.0/8",))
    assert set(open_channels(with_mail, clock.now)) == {"email"}
    assert set(open_channels(with_hooks, clock.now)) == {"webhook"}
    with pytest.raises(ValueError, match="KEZHI_SMTP_FROM"):
        open_channels(ChannelSettings(smtp_url="smtp://mail.example.cn"), clock.now)


def test_a_secret_from_a_file_ends_before_its_line_break_and_nothing_is_nothing(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("s3cret\n")
    monkeypatch.setenv("KEZHI_WEBHOOK_SECRET_FILE", str(tmp_path / "secret"))
    for name in ("SMTP_URL", "SMTP_FROM", "SMS_ADAPTER", "OUTGOING_DIR", "WEBHOOK_NETWORKS"):
        monkeypatch.setenv(f"KEZHI_{name}", "")

    assert ChannelSettings.from_environment() == ChannelSettings(
        webhook_secrets=("s3cret",), limits={name: Limits() for name in ("email", "sms", "webhook")}
    )


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    given: dict[str, Any] = {
        "KEZHI_SMTP_URL": "smtps://mail.example.cn", "KEZHI_SMTP_FROM": "care@example.cn",
        "KEZHI_WEBHOOK_SECRET": "new,old", "KEZHI_OUTGOING_DIR": str(tmp_path),
        "KEZHI_PUBLIC_URL": "https://care.example.cn/", "KEZHI_SMS_PER_MINUTE": "30",
    }  # fmt: skip
    for name, value in given.items():
        monkeypatch.setenv(name, value)

    settings = ChannelSettings.from_environment()

    assert settings.webhook_secrets == ("new", "old")
    assert settings.public_url == "https://care.example.cn"
    assert (settings.outgoing_dir, settings.limits["sms"].per_minute) == (tmp_path, 30)
