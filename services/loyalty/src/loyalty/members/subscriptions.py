"""The queue of customer events: each carries the customer's whole state, so only the newest of them counts."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from chassis.messaging.delivery import Delivery, Reject, Rejection
from chassis.runtime import Context
from chassis.service import Subscription
from loyalty.members.domain import CustomerState, read_state
from loyalty.members.use_cases import follow_customers
from loyalty.merging.domain import Joined, read_merged, read_unmerged
from loyalty.merging.parting import stand_alone, unmerge_members
from loyalty.merging.use_cases import merge_members

TOPICS = (
    "registered", "updated", "identified", "merged", "unmerged", "blacklisted", "reinstated", "flagged", "erased",
    "classified", "graded",
)  # fmt: skip


def handle_customers(context: Context, deliveries: Sequence[Delivery]) -> list[Rejection]:
    """Follow a batch of customer events; whoever is not one with another any more stands alone before it is read."""
    states: list[CustomerState] = []
    joins: list[tuple[Delivery, Joined, Callable[[Context, Joined], None]]] = []
    for delivery in deliveries:
        event = delivery.event
        states.append(read_state(event.data, event.sequence))
        if event.type == "customer.merged.v1":
            joins.append((delivery, read_merged(event.data), merge_members))
        elif event.type == "customer.unmerged.v1":
            restored = event.data["restored"]
            states.append(read_state(restored, restored["sequence"]))
            joined = read_unmerged(event.data)
            if stand_alone(context.session, joined):
                joins.append((delivery, joined, unmerge_members))
    follow_customers(context, states)
    rejections = []
    for delivery, joined, carry_out in joins:
        try:
            carry_out(context, joined)
        except Reject as reject:
            rejections.append(Rejection(delivery, reject.reason))
    return rejections


CUSTOMERS = Subscription(
    name="customers",
    family="events",
    bindings=tuple(f"customer.{topic}.#" for topic in TOPICS),
    handle_batch=handle_customers,
    accepts=frozenset(f"customer.{topic}.v1" for topic in TOPICS),
)
