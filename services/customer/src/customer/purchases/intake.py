"""Purchases over HTTP: checked here as the broker's consumers would, then published as they came (decision 4)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import orjson

from chassis.errors import Invalid
from chassis.messaging import outbox
from chassis.messaging.admission import contents
from chassis.messaging.event import Event, Malformed
from chassis.runtime import Context
from chassis.web.principal import ADMINISTRATOR, Principal
from customer.purchases.domain import flaw

MOST = 1000
ACCEPTS = frozenset({"purchase.completed.v1", "purchase.refunded.v1"})


def publish_purchases(context: Context, principal: Principal, told: Sequence[Any]) -> dict[str, Any]:
    """Forward the valid events of a call; the others are named by their index with what is wrong.

    Raises Invalid when there are none, or more than ``MOST``.
    """
    if not 0 < len(told) <= MOST:
        raise Invalid(f"Send one purchase event or a list of 1 to {MOST}", {"": [f"1 to {MOST} events"]})
    bodies, rejected = [], []
    for index, document in enumerate(told):
        objections = _objections(context, principal, document)
        if objections:
            rejected.append({"index": index, "errors": objections})
        else:
            bodies.append(orjson.dumps(document))
    outbox.forward(context.session, bodies)
    return {"accepted": len(bodies), "rejected": rejected}


def _objections(context: Context, principal: Principal, document: Any) -> list[str]:
    try:
        event = Event.from_document(document)
    except Malformed as wrong:
        return [f"no CloudEvent: {wrong}"]
    if event.type not in ACCEPTS:
        return [f"type {event.type[:100]!r} is not one of {', '.join(sorted(ACCEPTS))}"]
    found = [
        objection
        for objection in (contents(event.type, document), _claim(context, principal, event.source))
        if objection
    ]
    if not found and (reason := flaw(event.data)):
        found.append(reason)
    return found


def _claim(context: Context, principal: Principal, source: str) -> str | None:
    """May this caller speak for the source? An API key for its own; an administrator for any, while evaluating."""
    if principal.kind == "api_key":
        return None if source in principal.sources else f"source {source} does not belong to this API key"
    if ADMINISTRATOR in principal.roles and context.runtime.settings.mode == "evaluation":
        return None
    return f"source {source} can be claimed by its system's API key only"
