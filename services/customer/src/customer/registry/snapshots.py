"""The registry as state events, for a service that was deployed later or restored (decision 9)."""

from __future__ import annotations

from collections.abc import Iterator

from sqlalchemy.orm import Session

from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.policies.book import Policy
from chassis.service import Snapshot
from customer.registry.queries import ONE
from customer.registry.state import full_state, segment_view
from customer.registry.tables import CustomerRow

_PAGE = 500


def pages(session: Session) -> Iterator[list[Event]]:
    """Every customer's present state, oldest first, 500 at a time.

    Each carries the customer's version: who knows that version already applies nothing.
    """
    policy: Policy = session.info["policies"].in_force()
    c = CustomerRow.__table__.c
    after = None
    while True:
        statement = ONE.order_by(c.id).limit(_PAGE)
        rows = session.execute(statement if after is None else statement.where(c.id > after)).all()
        if not rows:
            return
        yield [_event(session, row, policy) for row in rows]
        after = rows[-1].id


def _event(session: Session, row: object, policy: Policy) -> Event:
    segments = {scheme: segment_view(*values) for scheme, values in row.segments.items()}  # type: ignore[attr-defined]
    more = {"changed": [], "reason": "snapshot"}
    return outbox.draft(
        session,
        "customer.updated.v1",
        subject=str(row.id),  # type: ignore[attr-defined]
        data={**full_state(row, segments, policy), **more},
        key=f"snapshot:{row.id}:{row.version}",  # type: ignore[attr-defined]
        partitionkey=str(row.id),  # type: ignore[attr-defined]
        sequence=row.version,  # type: ignore[attr-defined]
        policyversion=policy.version,
    )


CUSTOMERS = Snapshot("customers", pages)
