"""Where a message may stand and what may happen to it: one table that the code, the API and the README show. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.errors import Conflict


@dataclass(frozen=True)
class Row:
    """In ``status``, ``event`` leads to ``to``."""

    status: str
    event: str
    to: str


LIFECYCLE = (
    #   status               event        to
    Row("queued",            "begin",     "sending"),
    Row("queued",            "place",     "delivered"),          # inbox, call task: in one transaction
    Row("queued",            "hold",      "held"),
    Row("queued",            "suppress",  "suppressed"),
    Row("queued",            "give_up",   "permanent_failure"),  # no text, no such channel
    Row("queued",            "expire",    "expired"),
    Row("queued",            "cancel",    "cancelled"),
    Row("held",              "release",   "queued"),
    Row("held",              "suppress",  "suppressed"),
    Row("held",              "expire",    "expired"),
    Row("held",              "cancel",    "cancelled"),
    Row("sending",           "accept",    "sent"),
    Row("sending",           "confirm",   "delivered"),
    Row("sending",           "fail",      "temporary_failure"),
    Row("sending",           "give_up",   "permanent_failure"),
    Row("sending",           "begin",     "sending"),            # whoever sent it died: possibly a duplicate, counted
    Row("temporary_failure", "begin",     "sending"),
    Row("temporary_failure", "hold",      "held"),
    Row("temporary_failure", "suppress",  "suppressed"),
    Row("temporary_failure", "give_up",   "permanent_failure"),
    Row("temporary_failure", "expire",    "expired"),
    Row("temporary_failure", "cancel",    "cancelled"),
    Row("sent",              "confirm",   "delivered"),          # the provider's receipt
    Row("sent",              "give_up",   "permanent_failure"),
)  # fmt: skip

STATUSES = tuple(dict.fromkeys(status for row in LIFECYCLE for status in (row.status, row.to)))
TERMINAL = frozenset(STATUSES) - {row.status for row in LIFECYCLE}
OUT = frozenset({"sending", "sent", "delivered"})  # the recipient has it, or may have it: these count for caps
FAILED = frozenset({"permanent_failure", "expired", "suppressed", "cancelled"})
_TO = {(row.status, row.event): row.to for row in LIFECYCLE}


def after(status: str, event: str) -> str:
    """The status that follows. Raises Conflict with what would be possible."""
    following = _TO.get((status, event))
    if following is None:
        raise Conflict(f"a message that is {status} can't {event}", status_now=status, allowed=allowed(status))
    return following


def allowed(status: str) -> list[str]:
    """What may happen to a message in this status."""
    return [row.event for row in LIFECYCLE if row.status == status]
