"""Writing the time line: own facts in the transaction that makes them, other services' facts from their events."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert, text
from sqlalchemy.orm import Session

from chassis.messaging.delivery import Delivery, Rejection
from chassis.messaging.event import Event
from chassis.people.guard import as_columns
from chassis.runtime import Context
from chassis.storage.bulk import copy_rows
from customer.archive.domain import entry_of
from customer.archive.tables import ArchiveEntryRow

HERE = "/kezhi/customer"
_HIDE = text(
    """
    UPDATE archive_entry
    SET hidden_alone = ARRAY(SELECT DISTINCT unnest(hidden_alone || CAST(:hidden_alone AS text[]))),
        hidden_with_subordinates =
            ARRAY(SELECT DISTINCT unnest(hidden_with_subordinates || CAST(:hidden_with_subordinates AS text[])))
    WHERE data ->> 'complaint_id' = :complaint
      AND NOT (hidden_alone @> CAST(:hidden_alone AS text[])
               AND hidden_with_subordinates @> CAST(:hidden_with_subordinates AS text[]))
    """
)
_COLUMNS = ("customer_id", "at", "kind", "fact", "data", "source")


def remember(session: Session, customer_id: UUID, kind: str, fact: str, at: datetime, data: dict[str, Any]) -> None:
    """Put one fact of this service into the customer's archive."""
    values = {"customer_id": customer_id, "at": at, "kind": kind, "fact": fact, "data": data, "source": HERE}
    session.execute(insert(ArchiveEntryRow).values(values))


def remember_many(session: Session, entries: Iterable[tuple[UUID, datetime, str, str, dict[str, Any], str]]) -> None:
    """Many facts at once: (customer, at, kind, fact, data, source)."""
    rows = [(who, at, kind, fact, orjson.dumps(data).decode(), source) for who, at, kind, fact, data, source in entries]
    if rows:
        copy_rows(session, "archive_entry", _COLUMNS, rows)


def file_events(context: Context, deliveries: Sequence[Delivery]) -> Sequence[Rejection]:
    """File what other services said of customers. An entry may come before its customer does: nothing is refused.

    What concerns no registered customer (a stranger's complaint, a message to staff) has no archive to go to.
    """
    events = [delivery.event for delivery in deliveries if _concerns_a_customer(delivery.event)]
    rows = []
    for event in events:
        who, at, kind, fact, data, source = entry_of(event)
        hidden = as_columns(event.data.get("hidden_from") or ())
        rows.append((who, at, kind, fact, orjson.dumps(data).decode(), source, *hidden.values()))
    if rows:
        copy_rows(context.session, "archive_entry", (*_COLUMNS, *as_columns(())), rows)
    for event in events:
        if event.data.get("hidden_from") and event.data.get("complaint_id"):
            hide_complaint(context.session, event.data["complaint_id"], event.data["hidden_from"])
    return ()


def _concerns_a_customer(event: Event) -> bool:
    return bool(event.data.get("customer_id")) and event.data.get("recipient_kind") != "staff"


def hide_complaint(session: Session, complaint: str, hidden_from: Iterable[Mapping[str, Any]]) -> None:
    """Keep every entry of a complaint from those whom one of its events names, whichever arrived first."""
    session.execute(_HIDE, {"complaint": complaint, **as_columns(hidden_from)})
