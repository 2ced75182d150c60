"""Pure rules of the organisation: how usernames fold, how paths are made, who is away when."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from datetime import datetime

ADMINISTRATOR = "administrator"
ROOT_PATH = "/"


def fold_username(username: str) -> str:
    """The one spelling an account is known by: width, case and composition make no second person."""
    return unicodedata.normalize("NFKC", username).strip().casefold()


def child_path(parent_path: str, code: str) -> str:
    """``/SH`` and ``SH001`` → ``/SH/SH001``; a child of the company itself is ``/<code>``."""
    return f"{parent_path.rstrip('/')}/{code}"


def within(path: str, subtree: str) -> bool:
    """Whether the unit at ``path`` is the head of ``subtree`` or below it."""
    return path == subtree or path.startswith(subtree.rstrip("/") + "/")


@dataclass(frozen=True)
class Absence:
    """Away from ``since`` up to, not including, ``until``; meanwhile work goes to the deputy, if any."""

    since: datetime
    until: datetime
    deputy: str | None = None

    def overlaps(self, other: Absence) -> bool:
        """Are both away at some moment?"""
        return self.since < other.until and other.since < self.until
