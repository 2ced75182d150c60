"""Writing the time line: own facts in the transaction that makes them, other services' facts from their events."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import insert
from sqlalchemy.orm import Session

from chassis.messaging.delivery import Delivery, Rejection
from chassis.runtime import Context
from chassis.storage.bulk import copy_rows
from customer.archive.domain import entry_of
from customer.archive.tables import ArchiveEntryRow

HERE = "/kezhi/customer"
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
    """File what other services said of customers. An entry may come before its customer does: nothing is refused."""
    remember_many(context.session, (entry_of(delivery.event) for delivery in deliveries))
    return ()
