"""Passwords: how they are kept (argon2id) and which are refused (too short, or among the breached).

No rules about digits and signs: they make passwords shorter and no harder to guess (NIST SP 800-63B 5.1.1).
``breached.txt`` holds the 5,000 commonest leaked passwords of eight characters and more (from zxcvbn, MIT
licence).
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from chassis.errors import Invalid

SHORTEST = 8
LONGEST = 256  # argon2 costs the same for any length, reading it does not

# OWASP's argon2id parameters: 19 MiB and two passes, so that a worker's threads may all sign people in at
# once.
_HASHER = PasswordHasher(time_cost=2, memory_cost=19_456, parallelism=1)


def checked_hash(password: str, username: str) -> str:
    """The hash of a password that someone chose. Raises Invalid with the reason for a weak one."""
    if reason := weakness(password, username):
        raise Invalid("This password is too weak.", {"password": [reason]})
    return hash_password(password)


def hash_password(password: str) -> str:
    """argon2id with a random salt; parameters travel in the hash."""
    return _HASHER.hash(password)


def matches(password: str, stored: str | None) -> bool:
    """Whether the password belongs to the hash. Without a hash it takes just as long, and is False."""
    try:
        return _HASHER.verify(stored or _nobody(), password[:LONGEST]) and stored is not None
    except (VerificationError, InvalidHashError):
        return False


def outdated(stored: str) -> bool:
    """Whether the hash was made with other parameters than today's."""
    return _HASHER.check_needs_rehash(stored)


def weakness(password: str, username: str) -> str | None:
    """Why this password is refused, or None."""
    if len(password) < SHORTEST:
        return f"must have at least {SHORTEST} characters"
    if len(password) > LONGEST:
        return f"must have at most {LONGEST} characters"
    lowered = password.casefold()
    if lowered == username or lowered in _breached() or len(set(lowered)) < 3:
        return "is among the first that anyone would try; choose another"
    return None


@cache
def _breached() -> frozenset[str]:
    return frozenset(Path(__file__).with_name("breached.txt").read_text().split("\n"))


@cache
def _nobody() -> str:
    return _HASHER.hash("no account has this hash")
