"""The archive listens to what the loyalty service says of customers; other families follow with their services."""

from __future__ import annotations

from chassis.service import Subscription
from customer.archive.use_cases import file_events

ARCHIVE = Subscription(
    name="archive",
    family="events",
    bindings=("points.#", "tier.#", "member.#", "reward.#"),
    handle_batch=file_events,
    accepts=frozenset(
        {
            "points.earned.v1",
            "points.redeemed.v1",
            "points.expiring.v1",
            "points.expired.v1",
            "points.adjusted.v1",
            "points.reversed.v1",
            "tier.changed.v1",
            "tier.at_risk.v1",
            "member.enrolled.v1",
            "reward.issued.v1",
        }
    ),
)
