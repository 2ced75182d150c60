"""Proof of work: a form costs its sender a second of computing, and whoever sends a million of them, weeks.

A challenge is signed, not stored: ``nonce.issued.bits.mac``. Solved means: SHA-256 of ``<challenge>:<solution>`` begins
with that many zero bits. Each nonce is good for one complaint, because it becomes the complaint's idempotency key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

BITS = 16  # 65,536 tries on average: about a second on a cheap telephone
LIFE = timedelta(hours=2)  # a complaint is not written in a hurry

_CHALLENGE = re.compile(
    r"^(?P<nonce>[0-9a-f]{32})\.(?P<issued>[0-9]{1,12})\.(?P<bits>[0-9]{1,2})\.(?P<mac>[0-9a-f]{64})$"
)
_SOLUTION = re.compile(r"^[0-9]{1,20}$")


class Unsolved(Exception):
    """The challenge is not ours, has run out, or its solution is wrong."""


@dataclass(frozen=True)
class Challenge:
    """What a form is given to compute on."""

    text: str
    bits: int
    expires_at: datetime


def issue(key: bytes, now: datetime, bits: int = BITS) -> Challenge:
    """A fresh challenge."""
    signed = f"{secrets.token_hex(16)}.{int(now.timestamp())}.{bits}"
    return Challenge(f"{signed}.{_mac(key, signed)}", bits, now + LIFE)


def nonce_of(key: bytes, now: datetime, challenge: str, solution: str) -> str:
    """The nonce of a challenge that was solved. Raises Unsolved."""
    found = _CHALLENGE.match(challenge)
    if found is None or not hmac.compare_digest(_mac(key, challenge.rpartition(".")[0]), found["mac"]):
        raise Unsolved
    issued = datetime.fromtimestamp(int(found["issued"]), UTC)
    if not issued <= now < issued + LIFE + timedelta(seconds=1):
        raise Unsolved
    if not _SOLUTION.match(solution) or zero_bits(challenge, solution) < int(found["bits"]):
        raise Unsolved
    return found["nonce"]


def zero_bits(challenge: str, solution: str) -> int:
    """How many zero bits the digest begins with."""
    digest = int.from_bytes(hashlib.sha256(f"{challenge}:{solution}".encode()).digest())
    return 256 - digest.bit_length()


def solve(challenge: Challenge) -> str:
    """What a browser does, for programs that use the JSON API (and for tests)."""
    number = 0
    while zero_bits(challenge.text, str(number)) < challenge.bits:
        number += 1
    return str(number)


def _mac(key: bytes, signed: str) -> str:
    return hmac.new(key, signed.encode(), hashlib.sha256).hexdigest()
