"""The notify rules of a policy pack, as the rest of the service reads them. All numbers live in the pack."""

from __future__ import annotations

from chassis.policies.section import PolicySection
from notify.policy.reader import load
from notify.policy.rules import (
    CHANNELS,
    CLASSES,
    ChannelRules,
    ConsentRules,
    FrequencyCaps,
    NotifyPolicy,
    QuietHours,
    Recipient,
    Route,
)

SECTION = PolicySection("notify", load)

__all__ = [
    "CHANNELS",
    "CLASSES",
    "SECTION",
    "ChannelRules",
    "ConsentRules",
    "FrequencyCaps",
    "NotifyPolicy",
    "QuietHours",
    "Recipient",
    "Route",
    "load",
]
