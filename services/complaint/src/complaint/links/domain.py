"""What makes a personal link: a token that nobody can guess, of which only the hash is kept. Pure but for the draw."""

from __future__ import annotations

import secrets
from hashlib import sha256

FOLLOW, ANSWER = "follow", "answer"
BYTES = 32  # 256 random bits; decision 16 asks for 128


def draw() -> str:
    """A new token, 43 characters that a link may carry."""
    return secrets.token_urlsafe(BYTES)


def hashed(token: str) -> bytes:
    """What is kept of a token. It is random in full length, so it needs neither salt nor a slow hash."""
    return sha256(token.encode()).digest()
