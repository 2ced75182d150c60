"""What the messaging of one process counts, for Prometheus."""

from __future__ import annotations

from prometheus_client import Counter, Gauge, Histogram

EVENTS_CONSUMED = Counter("kezhi_events_consumed_total", "Messages by what became of them", ["subscription", "fate"])
BATCH_SECONDS = Histogram("kezhi_batch_seconds", "Time of one consumed batch, commit included", ["subscription"])
BATCHES_SPLIT = Counter("kezhi_batches_split_total", "Batches halved to find a culprit", ["subscription"])
RETRIES = Counter("kezhi_events_retried_total", "Messages sent up the retry ladder", ["subscription", "delay"])
CONSUMER_CONNECTED = Gauge("kezhi_consumer_connected", "1 while the subscription consumes", ["subscription"])
OUTBOX_PENDING = Gauge("kezhi_outbox_pending", "Outbox rows that wait for the relay", multiprocess_mode="mostrecent")
OUTBOX_FAILED = Gauge(
    "kezhi_outbox_failed", "Outbox rows given up, waiting for a person", multiprocess_mode="mostrecent"
)
OUTBOX_OLDEST = Gauge(
    "kezhi_outbox_oldest_seconds", "Age of the oldest pending outbox row", multiprocess_mode="mostrecent"
)
PUBLISHED = Counter("kezhi_outbox_published_total", "Outbox rows confirmed by the broker")
NOT_TAKEN = Counter("kezhi_outbox_not_taken_total", "Publishes returned or refused by the broker", ["why"])
RELAY_CONNECTED = Gauge(
    "kezhi_relay_connected", "1 while the relay holds a broker connection", multiprocess_mode="mostrecent"
)
RELAY_PARTITIONS = Gauge("kezhi_relay_partitions", "Outbox partitions this relay owns", multiprocess_mode="mostrecent")
DEAD_LETTERS = Counter("kezhi_dead_letters_total", "Messages moved into the dead-letter table", ["queue"])
UNROUTED = Gauge("kezhi_unrouted_messages", "Messages that no queue was bound for", multiprocess_mode="mostrecent")
