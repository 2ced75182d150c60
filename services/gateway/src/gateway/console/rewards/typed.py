"""What people type into forms, as the API takes it. What can't be read goes on as it is: the service says why not."""

from __future__ import annotations

import re
from collections.abc import Iterable


def whole(text: str | None) -> int | str:
    """The number that was typed, with or without separators and sign."""
    plain = re.sub(r"[,，\s]", "", text or "")
    return int(plain) if re.fullmatch(r"[+-]?[0-9]+", plain) else text or ""


def whole_or_none(text: str | None) -> int | str | None:
    """As ``whole``; None where nothing was typed."""
    return whole(text) if text else None


def listed(text: str | None) -> list[str]:
    """Words between commas, semicolons or line breaks, each once."""
    return list(dict.fromkeys(word for piece in re.split(r"[,，;；、\n]", text or "") if (word := piece.strip())))


def joined(words: Iterable[str]) -> str:
    """Words as ``listed`` reads them."""
    return ", ".join(words)
