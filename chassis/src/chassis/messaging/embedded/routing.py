"""Which routing keys a binding means, as a regular expression that PostgreSQL and Python read alike.

It is matched against the key with a dot before each of its words, nothing for an empty key: so ``#`` is any number
of words, ``*`` exactly one, and nothing has to be said about dots at the ends.
"""

from __future__ import annotations


def pattern(kind: str, key: str) -> str:
    """The expression for a binding of an exchange of this kind."""
    if kind == "fanout":
        return "^"
    if not key:
        return "^$"
    return "^" + "".join(_word(word, kind) for word in key.split(".")) + "$"


def _word(word: str, kind: str) -> str:
    if kind == "topic" and word == "*":
        return r"\.[^.]*"
    if kind == "topic" and word == "#":
        return r"(\.[^.]*)*"
    return r"\." + "".join(letter if letter.isalnum() or letter == "_" else f"\\{letter}" for letter in word)


def words(key: str) -> str:
    """The routing key as patterns want it."""
    return f".{key}" if key else ""
