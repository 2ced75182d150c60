"""What an SMS costs before it is sent: 3GPP TS 23.038 (alphabet) and 23.040 (concatenation). Pure.

160 septets in one GSM-7 message, 153 in each of several; 70 and 67 UTF-16 units when one character lies outside the
alphabet. A character never straddles two segments: neither an escaped one nor a surrogate pair.
"""

from __future__ import annotations

from notify.templates.domain import Segments

BASIC = frozenset(
    "@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./0123456789:;<=>?"
    "¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà"
)
ESCAPED = frozenset("\f^{}\\[~]|€")  # two septets each
_ROOM = {"GSM-7": (160, 153), "UCS-2": (70, 67)}  # alone, and as one of several


def count(text: str) -> Segments:
    """Encoding, length and number of segments of a text.

    >>> count("Hello").segments
    1
    >>> count("您好" * 36)
    Segments(encoding='UCS-2', length=72, segments=2)
    """
    gsm = all(character in BASIC or character in ESCAPED for character in text)
    encoding = "GSM-7" if gsm else "UCS-2"
    widths = [_septets(character) if gsm else _units(character) for character in text]
    alone, several = _ROOM[encoding]
    length = sum(widths)
    if length <= alone:
        return Segments(encoding, length, 1 if text else 0)
    segments, used = 1, 0
    for width in widths:
        if used + width > several:
            segments, used = segments + 1, 0
        used += width
    return Segments(encoding, length, segments)


def _septets(character: str) -> int:
    return 2 if character in ESCAPED else 1


def _units(character: str) -> int:
    return 2 if ord(character) > 0xFFFF else 1
