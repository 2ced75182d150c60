"""What a one-time code is: pure. The numbers are decision 16's; they are about guessing, not about the company."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
import unicodedata
from datetime import timedelta

DIGITS = 6
LIFE = timedelta(minutes=10)
TRIES = 5
PER_NUMBER = ((timedelta(hours=1), 3), (timedelta(days=1), 10))  # codes asked for under one number

_TAIL = 9  # digits by which a number is known however it is written: with country code, with zeros, with neither


def fresh_code() -> str:
    """Six digits, each as likely as any other."""
    return f"{secrets.randbelow(10**DIGITS):0{DIGITS}d}"


def number_key(secret: str, phone: str) -> bytes:
    """What stands for a number in the tables: nobody reads it back, and no spelling makes a second number of it.

    Two numbers that end alike share their key: they share limits then, nothing else, because a code answers for the
    customer whom it was sent to.
    """
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone))
    return hmac.digest(b"kezhi one-time code\n" + secret.encode(), digits[-_TAIL:].encode(), hashlib.sha256)
