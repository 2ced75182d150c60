"""Voucher codes, and what may be done with a voucher: pure but for the draw.

A code is eleven symbols that nobody can guess (54 bits) and one that checks them. The symbols are 31, a prime, and
leave out what people confuse (0 O, 1 I L): with weights 1 to 12 modulo 31 no single mistake and no two symbols that
changed places give another valid code, so a slip of the pen is told from a forgery.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from datetime import datetime

SYMBOLS = "23456789ABCDEFGHJKMNPQRSTUVWXYZ"
LENGTH, GROUP = 12, 4
ISSUED, USED, VOID, EXPIRED = "issued", "used", "void", "expired"  # expired is told from the time, never stored


def draw() -> str:
    """A new code as people read it: ``7F3K-99Q2-XM4T``."""
    drawn = [secrets.randbelow(len(SYMBOLS)) for _ in range(LENGTH - 1)]
    return _written([*drawn, _check(drawn)])


def normal(said: str) -> str | None:
    """A code as it is kept, from one that was typed or scanned; None when it cannot be one of ours."""
    bare = "".join(said.split()).replace("-", "").upper()
    if len(bare) != LENGTH or any(symbol not in SYMBOLS for symbol in bare):
        return None
    values = [SYMBOLS.index(symbol) for symbol in bare]
    return _written(values) if _check(values[:-1]) == values[-1] else None


def state(status: str, valid_until: datetime | None, now: datetime) -> str:
    """What a voucher is now: as stored, but ``expired`` once its time is over unused."""
    return EXPIRED if status == ISSUED and valid_until is not None and valid_until <= now else status


def _check(values: Sequence[int]) -> int:
    """The last value, which makes the weighted sum of all a multiple of 31."""
    weighted = sum(weight * value for weight, value in enumerate(values, 1))
    return -weighted * pow(LENGTH, -1, len(SYMBOLS)) % len(SYMBOLS)


def _written(values: Sequence[int]) -> str:
    symbols = "".join(SYMBOLS[value] for value in values)
    return "-".join(symbols[start : start + GROUP] for start in range(0, LENGTH, GROUP))
