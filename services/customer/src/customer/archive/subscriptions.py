"""The archive listens to what the other services say of customers (CG-02)."""

from __future__ import annotations

from chassis.service import Subscription
from customer.archive.use_cases import file_events

# Of a complaint the time line keeps what happened to the customer, not what went on among the staff.
_TOLD = {
    "points": ("earned", "redeemed", "expiring", "expired", "adjusted", "reversed"),
    "tier": ("changed", "at_risk"),
    "member": ("enrolled",),
    "reward": ("issued",),
    "complaint": ("received", "contacted", "progressed", "resolved", "reopened", "closed", "compensated"),
    "workorder": ("dispatched", "completed"),
    "suggestion": ("adopted",),
    "notification": ("delivered", "failed"),
}
_TYPES = tuple(f"{family}.{fact}" for family, facts in _TOLD.items() for fact in facts)

ARCHIVE = Subscription(
    name="archive",
    family="events",
    bindings=tuple(f"{type_}.#" for type_ in _TYPES),
    handle_batch=file_events,
    accepts=frozenset(f"{type_}.v1" for type_ in _TYPES),
)
