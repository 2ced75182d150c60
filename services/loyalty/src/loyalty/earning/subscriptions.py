"""The queue of purchases and refunds: batches in, one transaction each."""

from __future__ import annotations

from collections.abc import Sequence

from chassis.messaging.delivery import Delivery, Reject, Rejection
from chassis.runtime import Context
from chassis.service import Subscription
from loyalty.earning.domain import Purchase
from loyalty.earning.facts import PURCHASE, REFUND, read_purchase, read_refund
from loyalty.earning.refunds import Refund
from loyalty.earning.use_cases import take_in
from loyalty.earning.waiting import SUBSCRIPTION


def handle_purchases(context: Context, deliveries: Sequence[Delivery]) -> list[Rejection]:
    """Value a batch; what can never be valued comes back with its reason."""
    purchases: list[Purchase] = []
    refunds: list[Refund] = []
    rejections: list[Rejection] = []
    for delivery in deliveries:
        event = delivery.event
        try:
            if event.type == PURCHASE:
                purchases.append(read_purchase(event.data, delivery))
            else:
                refunds.append(read_refund(event.data, delivery))
        except Reject as reject:
            rejections.append(Rejection(delivery, reject.reason))
    rejections += [Rejection(told.delivery, reason) for told, reason in take_in(context, purchases, refunds)]
    return rejections


PURCHASES = Subscription(
    name=SUBSCRIPTION,
    family="purchases",
    bindings=("purchase.#",),
    handle_batch=handle_purchases,
    accepts=frozenset({PURCHASE, REFUND}),
    ordered=True,
)
