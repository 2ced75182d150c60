"""Which channels this installation has, from its settings. A name that is not in the answer can't be used."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping

from notify.channels import mail, sms_adapter
from notify.channels.addresses import Reach
from notify.channels.domain import Channel, Clock, Limits
from notify.channels.email import EmailChannel
from notify.channels.files import FileChannel
from notify.channels.guarded import Guarded
from notify.channels.settings import ChannelSettings
from notify.channels.sms import SmsChannel
from notify.channels.webhook import WebhookChannel

NOBODY = "Kezhi <kezhi@localhost.localdomain>"


def open_channels(settings: ChannelSettings, clock: Clock) -> Mapping[str, Guarded]:
    """The configured channels by name, each behind its limits. Opens no connection; raises on settings that are wrong.

    ``email``: by SMTP; ``sms``: by the adapter; ``webhook``: where a secret is set. With an outgoing folder
    (evaluation) mails and SMS without a provider are written there, and there is a channel ``file``.
    """
    return {channel.name: Guarded(channel, _limits(settings, channel.name), clock) for channel in _configured(settings)}


def _configured(settings: ChannelSettings) -> Iterator[Channel]:
    sender = mail.sender(settings.smtp_from or NOBODY)
    folder = settings.outgoing_dir
    if settings.smtp_url:
        if not settings.smtp_from:
            raise ValueError("KEZHI_SMTP_URL needs KEZHI_SMTP_FROM")
        yield EmailChannel(mail.server(settings.smtp_url), sender, _limits(settings, "email").timeout)
    elif folder is not None:
        yield FileChannel("email", folder, sender)
    if settings.sms_adapter is not None:
        adapter = sms_adapter.load(settings.sms_adapter, os.environ)
        yield SmsChannel(adapter, _limits(settings, "sms").timeout)
    elif folder is not None:
        yield FileChannel("sms", folder, sender)
    if settings.webhook_secrets:
        reach = Reach.of(settings.webhook_networks)
        yield WebhookChannel(settings.webhook_secrets, reach, _limits(settings, "webhook").timeout)
    if folder is not None:
        yield FileChannel("file", folder, sender)


def _limits(settings: ChannelSettings, name: str) -> Limits:
    return settings.limits.get(name, Limits())
