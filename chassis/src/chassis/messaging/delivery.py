"""What a subscription's handler receives, and how it says no."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.messaging.event import Event


class Reject(Exception):
    """This delivery can never succeed: it goes to the dead letters at once, with this reason, and claims nothing."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message that this subscription sees for the first time."""

    event: Event
    body: bytes
    attempt: int = 0  # handler attempts before this one


@dataclass(frozen=True, slots=True)
class Rejection:
    """A member of a batch that can never succeed, and why."""

    delivery: Delivery
    reason: str
