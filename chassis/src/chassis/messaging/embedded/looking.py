"""What the embedded broker holds at this moment, for commands and the doctor."""

from __future__ import annotations

from dataclasses import dataclass

from chassis.messaging.embedded.address import Address
from chassis.messaging.embedded.hub import Hub


@dataclass(frozen=True)
class Overview:
    """Messages that wait, messages that somebody has in hand, processes that consume, size of the database."""

    waiting: int
    held: int
    processes: int
    bytes: int


def look(url: str) -> Overview:
    """Count. Raises BrokerAway."""
    hub = Hub.of(Address.of(url))
    try:
        with hub.lent() as store:
            return Overview(*store.overview())
    finally:
        hub.release()
