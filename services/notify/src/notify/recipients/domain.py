"""What a customer's state means to whoever writes to them: pure."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from typing import Any

_CHINESE_MOBILE = re.compile(r"(?:\+?86)?(1[3-9][0-9]{9})\Z")


@dataclass(frozen=True)
class CustomerState:
    """A customer as the registry last described it; ``version`` orders the descriptions (decision 1)."""

    customer_id: str
    version: int
    status: str
    merged_into: str | None
    blacklisted: bool
    name: str | None
    phones: tuple[str, ...]
    emails: tuple[str, ...]
    locale: str | None
    unit: str | None
    unit_path: str
    account_manager: str | None
    consents: tuple[tuple[str, str, bool, datetime, str | None], ...]  # class, channel, given, at, source


def read_state(data: Mapping[str, Any], sequence: str | None) -> CustomerState:
    """Read the state that every customer event carries in full."""
    return CustomerState(
        customer_id=data["customer_id"].lower(),
        version=int(sequence or 0),
        status=data["status"],
        merged_into=(data.get("merged_into") or "").lower() or None,
        blacklisted=blacklisted(data.get("standing") or {}),
        name=data.get("name"),
        phones=tuple(one["number"] for one in data.get("phones") or ()),
        emails=tuple(one["address"] for one in data.get("emails") or ()),
        locale=data.get("locale"),
        unit=data.get("unit"),
        unit_path=data.get("unit_path") or "/",
        account_manager=data.get("account_manager"),
        consents=tuple(
            (one["class"], one["channel"], one["given"], datetime.fromisoformat(one["at"]), one.get("source"))
            for one in data.get("consents") or ()
        ),
    )


def blacklisted(standing: Mapping[str, Any]) -> bool:
    """Blacklisted in the whole company; a unit's own list does not stop what other units have to say."""
    return any(
        "blacklist" in reason["code"] and reason.get("scope", "company") == "company"
        for reason in standing.get("reasons") or ()
    )


def mobile(number: str) -> str | None:
    """A number that can receive a text, as +<country><number>; None for a landline.

    >>> mobile("138 0000 8801")
    '+8613800008801'
    >>> mobile("021-64330000") is None
    True
    >>> mobile("+44 7911 123456")
    '+447911123456'
    """
    bare = re.sub(r"[\s().-]", "", number)
    if found := _CHINESE_MOBILE.match(bare):
        return f"+86{found[1]}"
    return bare if re.fullmatch(r"\+(?!86)[1-9][0-9]{6,14}", bare) else None


def addresses(phones: Sequence[str], emails: Sequence[str]) -> dict[str, str]:
    """By channel, the first address it can reach. A call task needs any telephone number: people can dial landlines."""
    found: dict[str, str] = {}
    if texting := next((number for number in map(mobile, phones) if number), None):
        found["sms"] = texting
    if emails:
        found["email"] = emails[0]
    if phones:
        found["call_task"] = phones[0]
    return found


def fingerprint(channel: str, address: str) -> str:
    """Equal for equal addresses however they are spelt."""
    plain = (mobile(address) or address) if channel in ("sms", "call_task") else address.strip().casefold()
    return sha256(f"{channel}\n{plain}".encode()).hexdigest()
