"""The queues: the registry's customers, and everything else that somebody may have to hear of."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.messaging.delivery import Delivery, Rejection
from chassis.runtime import Context
from chassis.service import Subscription
from notify.messages.planning import plan_events, strike_secrets
from notify.policy.events import FAMILIES, types_routed
from notify.recipients.domain import CustomerState, read_state
from notify.recipients.use_cases import follow_complaints, follow_customers

_CUSTOMER = tuple(type_ for type_ in types_routed() if type_.startswith("customer."))
_OTHERS = tuple(type_ for type_ in types_routed() if not type_.startswith("customer."))


def handle_customers(context: Context, deliveries: Sequence[Delivery]) -> list[Rejection]:
    """Follow the registry; a route may also tell of what happened there."""
    states: list[CustomerState] = []
    for delivery in deliveries:
        event = delivery.event
        if event.sequence is None or "kind" not in event.data:
            continue
        states.append(read_state(event.data, event.sequence))
        if event.type == "customer.unmerged.v1":
            restored = event.data["restored"]
            states.append(read_state(restored, restored["sequence"]))
    follow_customers(context, states)
    plan_events(context, [delivery.event for delivery in deliveries])
    return []


def handle_events(context: Context, deliveries: Sequence[Delivery]) -> list[Rejection]:
    """Plan the messages that these events ask for."""
    events = [delivery.event for delivery in deliveries]
    follow_complaints(context, events)
    plan_events(context, events)
    strike_secrets(context.session, EVENTS.name, events)
    return []


CUSTOMERS = Subscription(
    name="customers",
    family="events",
    bindings=("customer.#",),
    handle_batch=handle_customers,
    accepts=frozenset(_CUSTOMER),
)
EVENTS = Subscription(
    name="events",
    family="events",
    bindings=tuple(f"{family}.#" for family in FAMILIES if family != "customer"),
    handle_batch=handle_events,
    accepts=frozenset(_OTHERS),
)
