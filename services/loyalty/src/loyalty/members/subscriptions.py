"""The queue of customer events: each carries the customer's whole state, so only the newest of them counts."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.messaging.delivery import Delivery, Rejection
from chassis.runtime import Context
from chassis.service import Subscription
from loyalty.members.domain import CustomerState, read_state
from loyalty.members.use_cases import follow_customers

TOPICS = (
    "registered", "updated", "identified", "merged", "unmerged", "blacklisted", "reinstated", "flagged", "erased",
)  # fmt: skip


def handle_customers(context: Context, deliveries: Sequence[Delivery]) -> list[Rejection]:
    """Follow a batch of customer events."""
    states: list[CustomerState] = []
    for delivery in deliveries:
        event = delivery.event
        states.append(read_state(event.data, event.sequence))
        if event.type == "customer.unmerged.v1":
            restored = event.data["restored"]
            states.append(read_state(restored, restored["sequence"]))
    follow_customers(context, states)
    return []


CUSTOMERS = Subscription(
    name="customers",
    family="events",
    bindings=tuple(f"customer.{topic}.#" for topic in TOPICS),
    handle_batch=handle_customers,
    accepts=frozenset(f"customer.{topic}.v1" for topic in TOPICS),
)
