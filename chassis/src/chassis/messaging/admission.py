"""The gate before every handler: only a valid event of an accepted type, from a publisher who may say it, passes.

Everything that fails gets its reason as a plain sentence, for the person who reads the dead letters.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any

import jsonschema_rs
import orjson

from chassis.errors import Unavailable
from chassis.messaging.delivery import Delivery
from chassis.messaging.event import Event, Malformed
from chassis.messaging.incoming import Incoming
from chassis.messaging.publishers import Publishers
from chassis.runtime import Runtime
from chassis.service import Subscription
from kezhi_contracts import schemas

LARGEST_BODY = 1024 * 1024  # bytes
CONTENT_TYPES = frozenset({"application/cloudevents+json", "application/json"})

# When other systems' facts may have happened (decision 10), while no pack is in force that says it.
OLDEST = timedelta(days=2 * 365)
FURTHEST_AHEAD = timedelta(minutes=5)
_MOST_SOURCES = 10_000


class Refused(Exception):
    """This message is not for the handler, and why."""


class Admission:
    """The gate of one subscription. ``admit`` is called for every message, on the hot path."""

    def __init__(self, runtime: Runtime, subscription: Subscription, publishers: Publishers | None = None) -> None:
        self._runtime = runtime
        self._subscription = subscription
        self._foreign = subscription.family == "purchases"
        self._publishers = publishers or Publishers.of(runtime.settings)
        self._windows: dict[str, tuple[datetime, datetime, datetime]] = {}  # source → as of, from, until

    def admit(self, incoming: Incoming) -> Delivery:
        """The delivery that the handler may see. Raises Refused with the reason."""
        if incoming.damage is not None:
            raise Refused(incoming.damage)
        body = incoming.body
        if len(body) > LARGEST_BODY:
            raise Refused(f"The body has {len(body):,} bytes; at most {LARGEST_BODY:,} are taken.")
        if incoming.content_type is not None and incoming.content_type.split(";")[0].strip() not in CONTENT_TYPES:
            raise Refused(
                f"The content type is {incoming.content_type[:200]!r}; it must be application/cloudevents+json."
            )
        try:
            document = orjson.loads(body)
            event = self._sound(document)
            if event is None:
                event = self._judged(document)
        except orjson.JSONDecodeError as wrong:
            raise Refused(f"The body is not JSON: {wrong}.") from None
        except Malformed as wrong:
            raise Refused(f"The body is no CloudEvent: {wrong}.") from None
        if self._foreign:
            self._check_foreign(event, incoming)
        return Delivery(event, body, incoming.attempts)

    def _sound(self, document: Any) -> Event | None:
        """The event of a document that is right in everything, with one look at it; None: say what is wrong."""
        type_ = document.get("type") if isinstance(document, dict) else None
        if not isinstance(type_, str) or type_ not in self._subscription.accepts:
            return None
        validator = _validator(type_)
        if validator is None or not validator.is_valid(document):
            return None
        optional = document.get
        try:
            return Event(
                document["id"], document["source"], type_, document["subject"],
                datetime.fromisoformat(document["time"]), document["data"],
                optional("partitionkey"), optional("sequence"), optional("policyversion"), optional("traceparent"),
            )  # fmt: skip
        except ValueError:  # a time that the schema's pattern lets pass and no calendar knows
            return None

    def _judged(self, document: Any) -> Event:
        """The event of any other document. Raises Malformed or Refused with the first thing that is wrong."""
        event = Event.from_document(document)
        if event.type not in self._subscription.accepts:
            accepted = ", ".join(sorted(self._subscription.accepts))
            raise Refused(f"Unknown event version {event.type[:200]!r}; this subscription accepts {accepted}.")
        complaint = contents(event.type, document)
        if complaint is not None:
            raise Refused(complaint)
        return event

    def _check_foreign(self, event: Event, incoming: Incoming) -> None:
        objection = self._publishers.objection(incoming.publisher, event)
        if objection is not None:
            raise Refused(objection)
        occurred_at = event.data.get("occurred_at") or event.data.get("at")
        if not isinstance(occurred_at, str):
            return
        try:
            instant = datetime.fromisoformat(occurred_at)
        except ValueError:
            raise Refused(f"data.occurred_at is no instant: {occurred_at[:100]!r}.") from None
        if instant.tzinfo is None:
            raise Refused(f"data.occurred_at needs an offset: {occurred_at[:100]!r}.")
        oldest, furthest = self._window(event.source)
        if instant < oldest:
            raise Refused(f"It happened at {occurred_at}; what happened before {oldest.isoformat()} is not taken.")
        if instant > furthest:
            raise Refused(f"It happens at {occurred_at}, too far ahead: not after {furthest.isoformat()}.")

    def _window(self, source: str) -> tuple[datetime, datetime]:
        """Between which instants a source's facts may lie; worked out once a second."""
        now = self._runtime.clock.now().replace(microsecond=0)
        kept = self._windows.get(source)
        if kept is None or kept[0] != now:
            if len(self._windows) > _MOST_SOURCES:
                self._windows.clear()  # whoever invents sources must not fill our memory
            try:
                company = self._runtime.policies.in_force().company
                window = company.window_for(source)
                back = window.back.before(now, company.time_zone)
                ahead = window.ahead.after(now, company.time_zone)
            except Unavailable:
                back, ahead = now - OLDEST, now + FURTHEST_AHEAD
            kept = self._windows[source] = (now, back, ahead + timedelta(seconds=1))
        return kept[1], kept[2]


def contents(type_: str, document: Mapping[str, Any]) -> str | None:
    """What the type's JSON Schema has against a whole event, or None. At most three findings, each with its path."""
    validator = _validator(type_)
    if validator is None:
        return f"Unknown event version {type_!r}; there is no schema for it."
    if validator.is_valid(document):
        return None
    findings = []
    for error in validator.iter_errors(document):
        path = ".".join(str(step) for step in error.instance_path) or "the event"
        findings.append(f"{path}: {error.message[:300]}")
        if len(findings) == 3:
            break
    return f"The event does not follow the schema of {type_}: " + "; ".join(findings) + "."


@cache
def _validator(type_: str) -> jsonschema_rs.Validator | None:
    try:
        # Masked: a finding names the path, never the value, because reasons reach logs and people's screens.
        return jsonschema_rs.validator_for(schemas.document(type_), mask="the value")
    except schemas.UnknownType:
        return None
