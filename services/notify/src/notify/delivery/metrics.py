"""What delivery counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge

ENDED = Counter("kezhi_messages_ended_total", "Messages by how they ended", ["channel", "status"])
ATTEMPTS = Counter("kezhi_message_attempts_total", "Attempts by what became of them", ["channel", "outcome"])
POSSIBLE_DUPLICATES = Counter(
    "kezhi_message_possible_duplicates_total",
    "Attempts repeated although the provider may have taken the one before",
    ["channel"],
)
WAITING = Gauge("kezhi_messages_waiting", "Messages that should be on their way", multiprocess_mode="mostrecent")
