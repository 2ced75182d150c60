"""Pure rules of the registry: how a phone, a name, an identity is written, and when two customers look like one.

Nothing here reads a database, a clock or a request.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import phonenumbers
from rapidfuzz import fuzz

KINDS = ("individual", "enterprise", "institution")
STAGES = ("development", "maintenance", "service")
VALUE_CLASSES = ("important", "ordinary", "potential")
STATUSES = ("active", "inactive")
ENTRY_STAGE = "development"

# Numbers that are no subscriber's: hotlines a company or an institution may be reached by.
_SERVICE_NUMBERS = (
    "110 119 120 122 12110 12119 12122 12301 12305 12306 12309 12315 12318 12320 12328 12331 12333 12345 12348 12358"
    " 12365 12366 12369 12377 12389"
)
SERVICE_NUMBERS = frozenset(_SERVICE_NUMBERS.split())

# Surnames that are read otherwise than the same character elsewhere.
_READ_OTHERWISE = """
    单 shan; 曾 zeng; 仇 qiu; 解 xie; 查 zha; 任 ren; 区 ou; 盖 ge; 朴 piao; 华 hua; 尉 wei; 翟 zhai; 员 yun; 黑 he;
    折 she; 覃 qin; 召 shao; 秘 bi; 缪 miao; 乐 yue; 洗 xian; 郇 xun; 逄 pang; 燕 yan; 宿 su; 那 na; 尉迟 yu chi;
    万俟 mo qi; 单于 chan yu; 长孙 zhang sun; 令狐 ling hu; 澹台 tan tai
"""
SURNAMES: dict[str, str] = dict(line.strip().split(maxsplit=1) for line in _READ_OTHERWISE.split(";"))

_SCHEME = re.compile(r"[a-z][a-z0-9_.-]{0,31}")


def phone_number(written: str, region: str = "CN") -> str:
    """A phone as it is kept: E.164, or a short service number of the list. Raises ValueError saying what to write."""
    digits = re.sub(r"[\s\-()]", "", unicodedata.normalize("NFKC", written))
    if digits in SERVICE_NUMBERS:
        return digits
    try:
        parsed = phonenumbers.parse(digits, region)
    except phonenumbers.NumberParseException:
        raise ValueError("is no phone number; write it with its area or country code, e.g. +86 138 0013 8000") from None
    if not phonenumbers.is_possible_number(parsed):
        raise ValueError(
            "has too few or too many digits; write it with its area or country code, e.g. +86 138 0013 8000"
        )
    return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)


def identity_text(scheme: str, value: str) -> str:
    """``card`` and ``8801`` → ``card:8801``. Raises ValueError."""
    if not _SCHEME.fullmatch(scheme):
        raise ValueError("is no scheme: 1 to 32 lower-case letters, digits, points, - or _, e.g. card")
    return f"{scheme}:{value}"


def identity_texts(identities: Iterable[Mapping[str, Any]]) -> list[str]:
    """``[{scheme, value}]`` → ``scheme:value`` each."""
    return [f"{identity['scheme']}:{identity['value']}" for identity in identities]


def pinyin(name: str, *, person: bool) -> str:
    """The reading of a name, syllables parted by spaces; a person's surname is read as one (单 shan, 曾 zeng)."""
    name = unicodedata.normalize("NFKC", name).strip()
    for length in (2, 1) if person else ():
        surname = name[:length]
        if surname in SURNAMES and len(name) > length:
            return f"{SURNAMES[surname]} {_reading(name[length:])}"
    return _reading(name)


def _reading(text: str) -> str:
    # Its dictionary is 57 MB: only processes that register customers pay for it, and only once they do.
    from pypinyin import Style, lazy_pinyin  # noqa: PLC0415

    return " ".join(" ".join(lazy_pinyin(text, style=Style.NORMAL)).split()).casefold()


def masked_phone(number: str) -> str:
    """``+8613800138000`` → ``+86138****8000``; a short number keeps its ends."""
    return number[:-8] + "****" + number[-4:] if len(number) >= 11 else number[:2] + "****"


def masked_email(address: str) -> str:
    """``li.ming@example.com`` → ``l****@example.com``."""
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}****@{domain}"


def _folded(text: str) -> str:
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def _wide(character: str) -> bool:
    """Is one character of this script as telling as a syllable (Han, Kana, Hangul)?"""
    return "\u2e80" <= character <= "\U0003ffff"


def _grams(text: str) -> set[str]:
    """What a text is found by: every wide character, every pair with one, every three of the others."""
    found = {character for character in text if _wide(character)}
    found.update(text[i : i + 2] for i in range(len(text) - 1) if _wide(text[i]) or _wide(text[i + 1]))
    found.update(part for i in range(len(text) - 2) if not any(map(_wide, part := text[i : i + 3])))
    return found


def haystack(texts: Iterable[str]) -> str:
    """Everything a customer is searched by, one text per line, folded."""
    return "\n".join(dict.fromkeys(filter(None, map(_folded, texts))))


def search_texts(
    name: str, reading: str, code: str, phones: Iterable[str], emails: Iterable[str], identities: Iterable[str]
) -> list[str]:
    """The texts of one customer: name, full reading, initials, code, contacts, identity values."""
    initials = "".join(syllable[0] for syllable in reading.split())
    return [name, reading, initials, code, *phones, *emails, *(identity.partition(":")[2] for identity in identities)]


def terms(hay: str, same: Iterable[str]) -> list[str]:
    """The index terms of a haystack: grams, the first one and two characters of each text, and ``sameness_terms``."""
    found: set[str] = set()
    for text in hay.split("\n"):
        found |= _grams(text)
        found.update("^" + text[:length] for length in (1, 2))
    found.update(same)
    return sorted(found)


def search_terms(query: str) -> tuple[list[str], str]:
    """A person's search → terms every hit must have, and the text its haystack must contain."""
    needle = _folded(query)
    grams = _grams(needle)
    return (sorted(grams) if grams else ["^" + needle[:2]], needle)


def sameness_terms(phones: Iterable[str], emails: Iterable[str], birthday: object, reading: str) -> list[str]:
    """The exact terms under which one who may be the same is found: each contact; name and birthday together."""
    found = [f"phone:{number}" for number in phones] + [f"email:{address}" for address in emails]
    return sorted({*found, f"born:{birthday}:{reading}"} if birthday else set(found))


@dataclass(frozen=True)
class Candidate:
    """A registered customer that may be the one being registered, and what speaks for it."""

    id: str
    code: str
    name: str
    score: float
    matched: tuple[str, ...]


def likeness(new: Mapping[str, Any], known: Mapping[str, Any]) -> tuple[float, tuple[str, ...]]:
    """How sure are we that both are one customer (0 to 1), and by what.

    A shared contact alone is strong; the name, compared as written and as read, moves it up or down: a couple shares
    a phone, a misspelt name does not make a second person.
    """
    names = max(fuzz.ratio(new["name"], known["name"]), fuzz.ratio(new["pinyin"], known["pinyin"])) / 100
    matched = []
    score = 0.0
    for field, weight in (("phones", 0.95), ("emails", 0.93)):
        if set(new[field]) & set(known[field]):
            matched.append(field.removesuffix("s"))
            score = max(score, weight)
    if names >= 0.9 and new["birthday"] and new["birthday"] == known["birthday"]:
        matched.append("birthday")
        score = max(score, 0.9)
    if score and names >= 0.8:
        matched.append("name")
        score = min(1.0, score + 0.1 * names)
    return round(score, 3), tuple(matched)


def changed_fields(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[tuple[str, Any, Any]]:
    """Which fields of ``new`` differ from ``old``: (field, old value, new value)."""
    return [(field, old[field], value) for field, value in new.items() if old[field] != value]


def merged(old: Mapping[str, Any], patch: Mapping[str, Any]) -> dict[str, Any]:
    """RFC 7396 for one level of free members: null takes a member away."""
    result = {**old, **patch}
    return {name: value for name, value in result.items() if value is not None}


def code_of(series_unit: str | None, number: int) -> str:
    """The number people use: ``C-SH001-000017``, or ``C-000017`` where no unit keeps the customer."""
    return f"C-{series_unit}-{number:06d}" if series_unit else f"C-{number:06d}"


def plain(values: Sequence[Mapping[str, Any]], member: str) -> list[str]:
    """``[{number: …, label: …}]`` → the numbers."""
    return [value[member] for value in values]
