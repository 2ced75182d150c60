"""A mail from its parts, and what an SMTP reply means. Pure: no sockets.

Headers are set through the standard library's structured headers: a line break in a name or subject is an error there,
and names were put on one line before they came here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email import policy
from email.errors import HeaderParseError, MessageDefect
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime, parseaddr
from typing import Literal, cast, get_args
from urllib.parse import parse_qs, unquote, urlsplit

from notify.channels.domain import Outcome, Outgoing

_DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?(\.[A-Za-z0-9]([A-Za-z0-9-]*[A-Za-z0-9])?)+")
LONGEST_ADDRESS = 254  # RFC 5321
Starttls = Literal["required", "offered", "never"]


class NoAddress(ValueError):
    """What should be a mail address is none."""


@dataclass(frozen=True)
class Server:
    """Where mail is handed in."""

    host: str
    port: int
    implicit_tls: bool
    starttls: Starttls
    user: str
    password: str


def server(url: str) -> Server:
    """Read ``smtp://user:password@host:587?starttls=required|offered|never`` or ``smtps://…``. Raises ValueError."""
    parts = urlsplit(url)
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname:
        raise ValueError("KEZHI_SMTP_URL must be smtp://host:port or smtps://host:port")
    asked = parse_qs(parts.query).get("starttls", ["required"])[0]
    if asked not in get_args(Starttls):
        raise ValueError("KEZHI_SMTP_URL: starttls is required, offered or never")
    implicit = parts.scheme == "smtps"
    return Server(
        parts.hostname,
        parts.port or (465 if implicit else 587),
        implicit,
        cast(Starttls, asked),
        unquote(parts.username or ""),
        unquote(parts.password or ""),
    )


def address(written: str) -> Address:
    """A mail address, its domain in ASCII; before the @ any script (RFC 6531). Raises NoAddress."""
    user, at, domain = written.rpartition("@")
    if len(written) > LONGEST_ADDRESS or not at or not written.isprintable() or " " in written:
        raise NoAddress("not a mail address")
    try:
        domain = domain.encode("idna").decode()
        if user.isascii():
            user = Address(addr_spec=f"{user}@{domain}").username
        elif not all(character.isalnum() or character in "._+-" for character in user):
            raise NoAddress("not a mail address")
    except (ValueError, IndexError, HeaderParseError, MessageDefect):
        raise NoAddress("not a mail address") from None
    if not user or not _DOMAIN.fullmatch(domain):
        raise NoAddress("not a mail address")
    return Address(username=user, domain=domain)


def sender(written: str) -> Address:
    """``Kezhi <care@example.com>`` → who writes. Raises NoAddress."""
    name, spec = parseaddr(written)
    found = address(spec)
    return Address(name, found.username, found.domain)


def compose(outgoing: Outgoing, by: Address, to: Address) -> EmailMessage:
    """The mail: plain text first, HTML as its alternative."""
    rendered = outgoing.rendered
    message = EmailMessage(policy=policy.SMTP)
    message["From"] = by
    message["To"] = to
    message["Subject"] = rendered.subject or ""
    message["Date"] = format_datetime(outgoing.at)
    message["Message-ID"] = f"<{outgoing.message_id}@{by.domain}>"
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no robot answers a robot
    message.set_content(rendered.text, cte=_transfer(rendered.text))
    if rendered.html is not None:
        message.add_alternative(rendered.html, subtype="html", cte=_transfer(rendered.html))
    message["Content-Language"] = rendered.locale  # last: what begins with Content- moves into the part that is there
    return message


def verdict(stage: str, code: int, said: str) -> Outcome:
    """What a reply that is not a yes means at ``mail``, ``rcpt`` or ``data``.

    A server that refuses us (421, or the sender) is our trouble and may be over soon; one that refuses the recipient
    or the content for good says so by 5xx; 4xx asks for patience (grey-listing, a full queue).
    """
    reason = f"{code} {' '.join(said.split())[:200]}"
    if code == 421 or stage == "mail":
        return Outcome("temporary", reason=reason, our_fault=True)
    return Outcome("permanent" if 500 <= code < 600 else "temporary", reason=reason)


def _transfer(text: str) -> str:
    return "quoted-printable" if text.isascii() else "base64"
