"""What waits: purchases for their customer, refunds for their purchase. Taken out in the order of arrival, once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from chassis.messaging import dead_letters, inbox
from chassis.messaging.delivery import Delivery
from chassis.messaging.event import CONTENT_TYPE, Event
from chassis.messaging.incoming import QUEUE, REASON, Incoming
from chassis.runtime import Context
from chassis.timing import due
from loyalty.earning.domain import Purchase
from loyalty.earning.facts import read_purchase, read_refund
from loyalty.earning.refunds import Refund
from loyalty.ledger.statements import cursor

SUBSCRIPTION = "purchases"
Told = TypeVar("Told", Purchase, Refund)
STEP = 500
RECHECK = "waiting_refund"
# A refund that began to wait while its purchase was being valued elsewhere is looked at again after these seconds.
RECHECK_AFTER = (10, 60, 3600)

_CONTENTS = "SELECT purchase_id, encode(content, 'hex') FROM waiting_purchase WHERE purchase_id = ANY(%s)"
_KEEP_PURCHASES = """
    INSERT INTO waiting_purchase (purchase_id, identity, content, body, occurred_at, received_at)
    SELECT purchase_id, identity, decode(content, 'hex'), body, occurred_at, %s
    FROM unnest(%s::text[], %s::text[], %s::text[], %b::bytea[], %s::timestamptz[])
        WITH ORDINALITY AS n (purchase_id, identity, content, body, occurred_at, place) ORDER BY place
    ON CONFLICT DO NOTHING
"""
_TAKE_PURCHASES = """
    WITH taken AS (
        DELETE FROM waiting_purchase WHERE purchase_id IN (
            SELECT purchase_id FROM waiting_purchase WHERE identity = ANY(%s) ORDER BY occurred_at, place LIMIT %s)
        RETURNING body, occurred_at, place)
    SELECT body FROM taken ORDER BY occurred_at, place
"""
_KEEP_REFUNDS = """
    INSERT INTO waiting_refund (refund_id, purchase_id, content, body, received_at)
    SELECT refund_id, purchase_id, decode(content, 'hex'), body, %s
    FROM unnest(%s::text[], %s::text[], %s::text[], %b::bytea[])
        WITH ORDINALITY AS n (refund_id, purchase_id, content, body, place) ORDER BY place
    ON CONFLICT DO NOTHING RETURNING refund_id
"""
_REFUND_CONTENTS = "SELECT refund_id, encode(content, 'hex') FROM waiting_refund WHERE refund_id = ANY(%s)"
_TAKE_REFUNDS = """
    WITH taken AS (DELETE FROM waiting_refund WHERE {} = ANY(%s) RETURNING body, place)
    SELECT body FROM taken ORDER BY place
"""


def anything(session: Session) -> bool:
    """Whether anything waits at all: mostly nothing does, and a batch need not look for its own."""
    with cursor(session) as found:
        found.execute("SELECT EXISTS (SELECT FROM waiting_purchase) OR EXISTS (SELECT FROM waiting_refund)")
        return bool(found.fetchone()[0])


def purchase_contents(session: Session, purchase_ids: Sequence[str]) -> dict[str, str]:
    """Of those purchases that wait already: what they say."""
    if not purchase_ids:
        return {}
    with cursor(session) as found:
        found.execute(_CONTENTS, (list(purchase_ids),))
        return dict(found.fetchall())


def keep_purchases(session: Session, purchases: Sequence[Purchase]) -> None:
    """Keep purchases whole until their customer is known."""
    if purchases:
        with cursor(session) as kept:
            kept.execute(
                _KEEP_PURCHASES,
                (
                    session.info["clock"].now(),
                    [purchase.purchase_id for purchase in purchases],
                    [purchase.name for purchase in purchases],
                    [purchase.content for purchase in purchases],
                    [purchase.delivery.body for purchase in purchases],
                    [purchase.occurred_at for purchase in purchases],
                ),
            )


def take_purchases(session: Session, names: Iterable[str]) -> list[Purchase]:
    """Take out purchases that wait under these names, oldest first, a step at a time."""
    with cursor(session) as taken:
        taken.execute(_TAKE_PURCHASES, (list(names), STEP))
        return [_again(read_purchase, body) for (body,) in taken.fetchall()]


def keep_refunds(session: Session, refunds: Sequence[Refund]) -> list[Refund]:
    """Keep refunds whole until their purchase is valued; returns those that contradict one that waits."""
    if not refunds:
        return []
    now = session.info["clock"].now()
    with cursor(session) as kept:
        kept.execute(
            _KEEP_REFUNDS,
            (
                now,
                [refund.refund_id for refund in refunds],
                [refund.purchase_id for refund in refunds],
                [refund.content for refund in refunds],
                [refund.delivery.body for refund in refunds],
            ),
        )
        new = {row[0] for row in kept.fetchall()}
        contents: Mapping[str, str] = {}
        if len(new) < len(refunds):
            kept.execute(_REFUND_CONTENTS, ([refund.refund_id for refund in refunds],))
            contents = dict(kept.fetchall())
    for refund_id in new:
        recheck(session, refund_id, 0)
    return [refund for refund in refunds if contents.get(refund.refund_id, refund.content) != refund.content]


def recheck(session: Session, refund_id: str, attempt: int) -> None:
    """Look at a waiting refund again a little later; in the end only its purchase can wake it."""
    if attempt < len(RECHECK_AFTER):
        at = session.info["clock"].now() + timedelta(seconds=RECHECK_AFTER[attempt])
        due.schedule(session, RECHECK, refund_id, at, {"attempt": attempt})


def waiting_for(session: Session, refund_id: str) -> str | None:
    """The purchase that a refund waits for; None when it waits no longer."""
    with cursor(session) as found:
        found.execute("SELECT purchase_id FROM waiting_refund WHERE refund_id = %s", (refund_id,))
        row = found.fetchone()
        return row[0] if row else None


def take_refunds(session: Session, purchase_ids: Sequence[str]) -> list[Refund]:
    """Take out the refunds that wait for these purchases, in the order of arrival."""
    with cursor(session) as taken:
        taken.execute(_TAKE_REFUNDS.format("purchase_id"), (list(purchase_ids),))
        return [_again(read_refund, body) for (body,) in taken.fetchall()]


def bury(context: Context, refused: Sequence[tuple[Purchase | Refund, str]]) -> None:
    """What waited and is refused becomes a dead letter with its reason, and may be replayed."""
    session, names = context.session, context.runtime.names
    queue = names.queue(context.runtime.service.name, SUBSCRIPTION)
    for told, reason in refused:
        headers = {REASON: reason, QUEUE: queue}
        dead_letters.keep(session, [(names.dead(queue), Incoming(told.delivery.body, CONTENT_TYPE, headers=headers))])
    inbox.release(session, SUBSCRIPTION, [told.delivery for told, _ in refused])


def _again(read: Callable[[dict[str, Any], Delivery], Told], body: bytes) -> Told:
    event = Event.from_json(body)
    told = read(event.data, Delivery(event, body))
    told.waited = True
    return told
