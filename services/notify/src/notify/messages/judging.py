"""May this message go now, to this recipient, over this channel? Pure: values in, a verdict with its reason out.

The same judgement is made when a message is planned and again each time before it is sent: what was allowed in the
evening may be forbidden by the morning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Literal
from zoneinfo import ZoneInfo

from notify.policy.rules import ALWAYS, REQUIRED, NotifyPolicy, QuietHours

ANY = "any"
INTERNAL = frozenset({"inbox", "call_task"})  # placed in this database, for our own staff


@dataclass(frozen=True)
class Word:
    """What is to be said, as far as it decides."""

    class_: str
    channel: str
    urgent: bool
    by_law: bool
    expires_at: datetime


@dataclass(frozen=True)
class Standing:
    """A recipient as known now. Staff and bare addresses have only what concerns them."""

    kind: str  # customer | complainant | staff | address
    known: bool = True  # a customer whose registration has not reached us yet is not
    erased: bool = False
    blacklisted: bool = False
    complaint_open: bool = False
    consents: Mapping[tuple[str, str], tuple[bool, datetime]] = field(default_factory=dict)
    off: frozenset[tuple[str, str]] = frozenset()
    zone: ZoneInfo | None = None  # None: the company's
    quiet: tuple[time, time] | None = None  # their own quiet hours


@dataclass(frozen=True)
class Verdict:
    """``send``; ``wait`` until an instant; ``hold`` until something happens; ``suppress`` or ``expire`` for good."""

    kind: Literal["send", "wait", "hold", "suppress", "expire"]
    why: str | None = None
    clause: str | None = None
    until: datetime | None = None
    another_way: bool = False  # it is this channel that is barred: the next one may do


SEND = Verdict("send")


def judge(
    word: Word, recipient: Standing, address: str | None, barred: bool, lately: int, policy: NotifyPolicy, now: datetime
) -> Verdict:
    """``barred``: the address is suppressed. ``lately``: messages of the class sent within the cap's window."""
    return (
        _too_early_or_late(word, recipient, policy, now)
        or _standing(word, recipient, policy)
        or way_barred(word.class_, word.channel, recipient, policy)
        or _unreachable(word, address, barred, policy)
        or _kept_back(word, recipient, lately, policy)
        or _quiet(word, recipient, policy, now)
        or SEND
    )


def _too_early_or_late(word: Word, recipient: Standing, policy: NotifyPolicy, now: datetime) -> Verdict | None:
    if now >= word.expires_at:
        return Verdict("expire", "its time was over before it could be sent", policy.channels.clause)
    if recipient.kind == "customer" and not recipient.known:
        return Verdict("hold", "the customer is not known here yet", policy.channels.clause)
    return None


def _unreachable(word: Word, address: str | None, barred: bool, policy: NotifyPolicy) -> Verdict | None:
    if address is None:
        return Verdict("suppress", f"no address for {word.channel}", policy.channels.clause, another_way=True)
    if barred:
        told = "nothing is sent to this address: it bounced, or its owner said so"
        return Verdict("suppress", told, policy.consent.clause, another_way=True)
    return None


def _kept_back(word: Word, recipient: Standing, lately: int, policy: NotifyPolicy) -> Verdict | None:
    if recipient.complaint_open and word.class_ in policy.complaint_open.classes:
        return Verdict("hold", "the customer has an open complaint", policy.complaint_open.clause)
    most = policy.frequency.most.get(word.class_)
    if most is not None and lately >= most:
        told = f"{lately} {word.class_} messages within {policy.frequency.within}; at most {most}"
        return Verdict("suppress", told, policy.frequency.clause)
    return None


def _quiet(word: Word, recipient: Standing, policy: NotifyPolicy, now: datetime) -> Verdict | None:
    quiet = policy.quiet_hours
    if recipient.kind == "staff" or (word.urgent and quiet.spares_urgent):
        return None
    until = quiet_until(word.channel, recipient, quiet, policy.company.time_zone, now)
    return Verdict("wait", "quiet hours", quiet.clause, until) if until is not None else None


def _standing(word: Word, recipient: Standing, policy: NotifyPolicy) -> Verdict | None:
    never = policy.never_to
    if recipient.erased and word.class_ in never.erased:
        return Verdict("suppress", "the customer's data were erased", never.clause)
    if recipient.blacklisted and word.class_ in never.blacklisted and not word.by_law:
        return Verdict("suppress", "the customer is blacklisted", never.clause)
    return None


def way_barred(class_: str, channel: str, recipient: Standing, policy: NotifyPolicy) -> Verdict | None:
    """Why this class may not go over this channel to a customer, if so: consent, and what they switched off (CC-05)."""
    needed = policy.consent.needed[class_]
    if needed == ALWAYS or recipient.kind == "staff":
        return None
    if (class_, channel) in recipient.off or (class_, ANY) in recipient.off:
        told = f"the customer does not want {class_} over {channel}"
        return Verdict("suppress", told, policy.consent.clause, another_way=True)
    given = consented(class_, channel, recipient)
    if given is False:
        return Verdict("suppress", f"consent to {class_} was withdrawn", policy.consent.clause, another_way=True)
    if needed == REQUIRED and not given:
        return Verdict("suppress", f"no consent to {class_}", policy.consent.clause, another_way=True)
    return None


def consented(class_: str, channel: str, recipient: Standing) -> bool | None:
    """What was said last of this class: for the channel or for any; None when nothing was ever said."""
    said = [recipient.consents[key] for key in ((class_, channel), (class_, ANY)) if key in recipient.consents]
    return max(said, key=lambda one: one[1])[0] if said else None


def quiet_until(
    channel: str, recipient: Standing, quiet: QuietHours, company_zone: ZoneInfo, now: datetime
) -> datetime | None:
    """The end of the quiet hours that ``now`` lies in, for this recipient; None outside them."""
    if channel not in quiet.channels:
        return None
    zone = recipient.zone or company_zone
    starts, ends = recipient.quiet or (quiet.starts, quiet.ends)
    local = now.astimezone(zone)
    at = local.time()
    inside = starts <= at < ends if starts < ends else at >= starts or at < ends
    if not inside:
        return None
    day = local.date() if at < ends else local.date() + timedelta(days=1)
    return datetime.combine(day, ends, zone).astimezone(now.tzinfo)


def pause(attempts: int, first: timedelta, longest: timedelta, chance: float) -> timedelta:
    """How long after so many failures: doubled each time, at most ``longest``, shaken by ±20 %.

    ``chance`` lies between 0 and 1. Messages that failed together must not come back together.
    """
    return min(first * 2 ** min(attempts - 1, 20), longest) * (0.8 + 0.4 * chance)
