"""What happens to a batch of messages, without a broker: gate, inbox, handler, commit - and a fate for each of them.

One transaction holds the claims of the inbox and the effects of the handler. When it fails, the batch is halved
until the culprit stands alone, in the order of arrival; only the culprit goes on to the retry ladder.
"""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import psycopg
import structlog
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolExhausted

from chassis.errors import Refusal, Unavailable
from chassis.messaging import inbox, metrics
from chassis.messaging.admission import Admission, Refused
from chassis.messaging.delivery import Delivery, Reject, Rejection
from chassis.messaging.incoming import Incoming
from chassis.runtime import Runtime
from chassis.service import Subscription
from chassis.telemetry import span_from

log = structlog.get_logger(__name__)

# Classes of SQLSTATE that say the server, not the work, is the trouble: connection lost, out of resources,
# shutting down, failing over to a standby that is still read-only.
_AWAY = ("08", "53", "57P", "25006")
_UNASKED = (psycopg.OperationalError, psycopg.InterfaceError)


class DatabaseAway(Exception):
    """Nothing can be decided now; the messages are held and tried again, without burning their attempts."""


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one message. ``reason`` is a sentence; ``error`` the exception behind a failure."""

    kind: Literal["accepted", "duplicate", "rejected", "failed"]
    reason: str = ""
    error: Exception | None = None


ACCEPTED = Fate("accepted")
DUPLICATE = Fate("duplicate")


class Processor:
    """Processes batches of one subscription."""

    def __init__(self, runtime: Runtime, subscription: Subscription) -> None:
        self.runtime = runtime
        self.subscription = subscription
        self._admission = Admission(runtime, subscription)
        # A batch makes thousands of short-lived objects without cycles; by default the collector would look through
        # them fifty times a batch.
        gc.set_threshold(max(50_000, gc.get_threshold()[0]))

    def process(self, batch: Sequence[Incoming]) -> list[Fate]:
        """A fate for each message, in order; accepted and duplicate ones are committed. Raises DatabaseAway."""
        fates: list[Fate | None] = []
        admitted: list[tuple[int, Delivery]] = []
        for position, incoming in enumerate(batch):
            fate = None
            try:
                admitted.append((position, self._admission.admit(incoming)))
            except Refused as refused:
                fate = Fate("rejected", str(refused))
            except DBAPIError as error:  # the policies could not be read
                raise DatabaseAway(str(error)) from error
            fates.append(fate)
        if admitted:
            self._settle(admitted, fates)
        self._count(fates)
        return fates  # type: ignore[return-value]

    def _settle(self, admitted: list[tuple[int, Delivery]], fates: list[Fate | None]) -> None:
        if self.subscription.handle is not None and len(admitted) > 1:
            for one in admitted:
                self._settle([one], fates)
            return
        try:
            with span_from(admitted[0][1].event, f"consume {self.subscription.name}"):
                settled = self._transaction([delivery for _, delivery in admitted])
        except Exception as error:
            if database_is_away(error):
                raise DatabaseAway(str(error)) from error
            if len(admitted) > 1:
                metrics.BATCHES_SPLIT.labels(self.subscription.name).inc()
                middle = len(admitted) // 2
                self._settle(admitted[:middle], fates)
                self._settle(admitted[middle:], fates)
                return
            settled = [self._fate_of(error)]
        for (position, _), fate in zip(admitted, settled, strict=True):
            fates[position] = fate

    def _transaction(self, deliveries: list[Delivery]) -> list[Fate]:
        name = self.subscription.name
        with self.runtime.context() as context:
            fresh = inbox.claim(context.session, name, deliveries)
            rejections: Sequence[Rejection] = ()
            if fresh and self.subscription.handle_batch is not None:
                rejections = self.subscription.handle_batch(context, fresh) or ()
            elif fresh and self.subscription.handle is not None:
                self.subscription.handle(context, fresh[0])
            if rejections:
                inbox.release(context.session, name, [rejection.delivery for rejection in rejections])
        rejected = {_key(rejection.delivery): Fate("rejected", rejection.reason) for rejection in rejections}
        taken = {id(delivery) for delivery in fresh}
        # A copy of a rejected delivery shares its fate: acknowledged as a duplicate it would be gone.
        return [
            rejected.get(_key(delivery)) or (ACCEPTED if id(delivery) in taken else DUPLICATE)
            for delivery in deliveries
        ]

    def _fate_of(self, error: Exception) -> Fate:
        if isinstance(error, Reject):
            return Fate("rejected", error.reason)
        if isinstance(error, Refusal) and not isinstance(error, Unavailable):
            return Fate("rejected", error.detail)
        log.warning("handler failed", subscription=self.subscription.name, exc_info=error)
        return Fate("failed", f"{type(error).__name__}: {error}"[:2000], error)

    def _count(self, fates: Sequence[Fate | None]) -> None:
        for kind, count in Counter(fate.kind for fate in fates if fate).items():
            metrics.EVENTS_CONSUMED.labels(self.subscription.name, kind).inc(count)


def database_is_away(error: Exception) -> bool:
    """Whether the database could not be asked, as opposed to having answered that this work is wrong."""
    if isinstance(error, PoolExhausted):
        return True
    if isinstance(error, psycopg.Error):  # hot paths speak to the driver directly; nothing wraps what it raises
        return error.sqlstate.startswith(_AWAY) if error.sqlstate else isinstance(error, _UNASKED)
    if not isinstance(error, DBAPIError):
        return False
    if error.connection_invalidated:
        return True
    state = getattr(error.orig, "sqlstate", None)
    if state is None:
        return isinstance(error, OperationalError | InterfaceError)
    return state.startswith(_AWAY)


def _key(delivery: Delivery) -> tuple[str, str]:
    return delivery.event.source, delivery.event.id
