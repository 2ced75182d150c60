"""Channels: how a message leaves. One module per way, its pure parts apart.

``open_channels(settings, clock)`` gives the ways that are configured, by name: ``email``, ``sms``, ``webhook``. The
inbox and call tasks live in this database and are placed in the caller's transaction (``notify.channels.inbox``).
"""

from notify.channels.domain import Channel, Limits, Outcome, Outgoing
from notify.channels.guarded import Guarded
from notify.channels.opening import open_channels
from notify.channels.settings import ChannelSettings

__all__ = ["Channel", "ChannelSettings", "Guarded", "Limits", "Outcome", "Outgoing", "open_channels"]
