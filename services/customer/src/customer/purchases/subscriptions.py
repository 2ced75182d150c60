"""The service's own queue of the purchases exchange; what came in over HTTP takes this way too (decision 4)."""

from __future__ import annotations

from chassis.service import Subscription
from customer.purchases.use_cases import take_purchases

PURCHASES = Subscription(
    name="purchases",
    family="purchases",
    bindings=("purchase.#",),
    handle_batch=take_purchases,
    accepts=frozenset({"purchase.completed.v1", "purchase.refunded.v1"}),
    ordered=True,
)
