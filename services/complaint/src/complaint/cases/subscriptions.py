"""The queue of customer events: each carries the customer's whole state, so only the newest of them counts."""

from __future__ import annotations

from chassis.service import Subscription
from complaint.cases.customers import follow_customers

TOPICS = (
    "registered", "updated", "identified", "graded", "merged", "unmerged", "erased", "flagged", "blacklisted",
    "reinstated",
)  # fmt: skip

CUSTOMERS = Subscription(
    name="customers",
    family="events",
    bindings=tuple(f"customer.{topic}.#" for topic in TOPICS),
    handle_batch=follow_customers,
    accepts=frozenset(f"customer.{topic}.v1" for topic in TOPICS),
)
