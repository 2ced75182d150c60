"""The queue of compensations: decided in a complaint, paid by this service."""

from __future__ import annotations

from chassis.messaging.delivery import Delivery, Reject
from chassis.runtime import Context
from chassis.service import Subscription
from loyalty.compensation.domain import read_compensation
from loyalty.compensation.use_cases import credit_compensation


def handle_compensation(context: Context, delivery: Delivery) -> None:
    """Credit the points; points for somebody who is no customer can reach nobody."""
    data = delivery.event.data
    if data["points"] and not data["customer_id"]:
        raise Reject("points were granted to a complainant who is no registered customer")
    compensation = read_compensation(data)
    if compensation is not None:
        credit_compensation(context, compensation)


COMPENSATIONS = Subscription(
    name="compensations",
    family="events",
    bindings=("complaint.compensated.#",),
    handle=handle_compensation,
    accepts=frozenset({"complaint.compensated.v1"}),
)
