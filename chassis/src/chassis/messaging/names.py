"""The names of exchanges and queues, with and without an instance (decision 36)."""

from __future__ import annotations

from dataclasses import dataclass

RETRY_DELAYS = {"5s": 5_000, "1m": 60_000, "15m": 900_000}


@dataclass(frozen=True)
class BrokerNames:
    """Several installations share one broker; without an instance the names are those of ``contract.md``."""

    instance: str = ""

    def exchange(self, family: str) -> str:
        """``purchases``, ``events`` or ``unrouted`` → the exchange's full name."""
        return f"kezhi.{self.instance}.{family}" if self.instance else f"kezhi.{family}"

    def queue(self, service: str, subscription: str) -> str:
        """The queue of one subscription: ``<service>.<subscription>``."""
        return f"{self.instance}.{service}.{subscription}" if self.instance else f"{service}.{subscription}"

    def retry(self, queue: str, delay: str) -> str:
        """The ladder step of a queue; ``delay`` is a key of RETRY_DELAYS."""
        return f"{queue}.retry.{delay}"

    def dead(self, queue: str) -> str:
        """Where a queue's exhausted and invalid messages go."""
        return f"{queue}.dead"
