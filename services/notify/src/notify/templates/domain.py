"""What a rendered message is, and in which order languages and texts are looked for. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

LOCALES = ("zh-CN", "en")  # every bundled text exists in these; the first is the last resort
CHANNELS = ("email", "sms", "inbox", "webhook")  # texts are written for these
TEXTS_OF = {"call_task": "inbox", "file": "email"}  # other channels borrow theirs
UNREADABLE = "•••"  # what the stored text shows in place of a secret


@dataclass(frozen=True)
class Segments:
    """What an SMS costs. ``encoding``: GSM-7 or UCS-2; ``length`` in that encoding's units."""

    encoding: str
    length: int
    segments: int


@dataclass(frozen=True)
class Texts:
    """What is saved: the templates of one key, channel and language.

    ``html``: the body of a mail; None: made from the text.
    """

    text: str
    subject: str | None = None
    html: str | None = None


@dataclass(frozen=True)
class Rendered:
    """A message ready to go, and the same with its secrets struck out: only the latter is ever stored."""

    key: str
    channel: str
    locale: str  # of the text that was found, which may not be the one asked for
    version: int  # 0: the text that came with this release
    subject: str | None  # one line; none for SMS
    text: str
    html: str | None  # only for e-mail
    stored_subject: str | None
    stored_text: str
    segments: Segments | None = None  # only for SMS


@dataclass(frozen=True)
class Surroundings:
    """What every text may use beside the event's data."""

    public_url: str = ""  # where the console and the portal are reached, without a final slash
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Asia/Shanghai"))
    sender: Mapping[str, str] = field(default_factory=lambda: {"zh-CN": "客户服务中心", "en": "Customer Care"})


def fallbacks(wanted: str | None, default: str = LOCALES[0]) -> tuple[str, ...]:
    """The languages to look for, best first: the one wanted, its language, the company's, then the bundled ones.

    >>> fallbacks("en-GB")
    ('en-GB', 'en', 'zh-CN')
    >>> fallbacks("zh_TW")
    ('zh-TW', 'zh', 'zh-CN', 'en')
    """
    asked = (wanted or default).replace("_", "-")
    return tuple(dict.fromkeys([asked, asked.partition("-")[0], default, *LOCALES]))
