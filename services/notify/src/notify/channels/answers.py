"""What the status of an HTTP answer means for a message. Pure."""

from __future__ import annotations

from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime

from notify.channels.domain import Outcome

LONGEST_PATIENCE = timedelta(days=1)
_PASSING = (408, 425, 429)


def verdict(status: int, retry_after: str | None, now: datetime) -> Outcome | None:
    """The outcome of an answer that is not a yes; None: it is one (2xx)."""
    if 200 <= status < 300:
        return None
    reason = f"HTTP {status}"
    if 300 <= status < 400:
        return Outcome("permanent", reason=f"{reason}: redirects are not followed, give the final address")
    if status in _PASSING or status >= 500:
        patience = _patience(retry_after, now)
        return Outcome("temporary", reason=reason, retry_after=patience, our_fault=status >= 500)
    return Outcome("permanent", reason=reason)


def _patience(written: str | None, now: datetime) -> timedelta | None:
    """``Retry-After``: seconds, or a date."""
    if written is None:
        return None
    try:
        asked = timedelta(seconds=int(written)) if written.isdecimal() else parsedate_to_datetime(written) - now
    except (ValueError, TypeError, OverflowError):
        return None
    return min(max(asked, timedelta(0)), LONGEST_PATIENCE)
