"""What keeps a page its reader's own: where it may load from, whose form it was, where it may lead."""

from __future__ import annotations

import hmac
from urllib.parse import urlsplit

from flask import Response, request

# Nothing inline, nothing from elsewhere, framed by nobody. ECharts and htmx are configured to need no more.
POLICY = "; ".join(
    (
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data:",
        "font-src 'self'",
        "connect-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    )
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
CHANGING = frozenset({"POST", "PUT", "PATCH", "DELETE"})


def harden(response: Response) -> Response:
    """The headers that every page carries."""
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    return response


def from_elsewhere() -> bool:
    """Whether a changing request was sent by a page that is not ours, as browsers say it themselves."""
    if request.headers.get("Sec-Fetch-Site") in ("cross-site", "same-site"):
        return True
    origin = request.headers.get("Origin")
    if origin is None:
        return False
    return urlsplit(origin).netloc != request.host


def is_ours(expected: str) -> bool:
    """Whether the form (or htmx, by header) carries the CSRF token of this session."""
    given = request.headers.get("X-CSRF-Token") or request.form.get("csrf", "")
    return bool(expected) and hmac.compare_digest(given.encode(), expected.encode())


def local(path: str | None, otherwise: str = "/console/") -> str:
    """``path`` if it leads to a page of ours, else ``otherwise``: nobody is sent elsewhere by a link to us."""
    if not path or not path.startswith(("/console/", "/portal/")):
        return otherwise
    if "\\" in path or any(character < " " or character == "\x7f" for character in path):
        return otherwise
    # A dot segment would be resolved by the browser after we looked.
    return otherwise if "/../" in path or path.endswith("/..") else path
