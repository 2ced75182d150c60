"""Follow the registry and the complaints: who may be written to, and who is waiting for an answer (CG-16, CC-05)."""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import or_, select, text, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.messaging.event import Event
from chassis.runtime import Context
from chassis.storage.writing import write_newer
from notify.messages.tables import Message
from notify.recipients.domain import CustomerState
from notify.recipients.tables import Consent, OpenComplaint, Preference, RecipientCopy

ERASED = "erased"
# An erased customer leaves behind that a message was, never what it said or where it went (decision 34).
_STRUCK = {"name": None, "address": None, "data": None, "subject": None, "body": None}


def follow_customers(context: Context, states: Sequence[CustomerState]) -> None:
    """Apply the newest description of each customer; what waited for them to be known, or to be free, may go."""
    newest: dict[str, CustomerState] = {}
    for state in states:
        before = newest.get(state.customer_id)
        if before is None or state.version > before.version:
            newest[state.customer_id] = state
    if not newest:
        return
    session, now = context.session, context.clock.now()
    write_newer(session, RecipientCopy, [_columns(newest[key], now) for key in sorted(newest)])
    said = [
        {"customer_id": uuid.UUID(state.customer_id), "class_": class_, "channel": channel, "given": given_, "at": at,
         "source": source, "recorded_at": now}
        for state in states
        for class_, channel, given_, at, source in state.consents
    ]  # fmt: skip
    if said:
        session.execute(insert(Consent).on_conflict_do_nothing(), said)
    release(session, newest, now)
    if gone := [customer_id for customer_id, state in newest.items() if state.status == ERASED]:
        forget(session, gone, now)


def _columns(state: CustomerState, now: datetime) -> dict[str, Any]:
    return {
        "customer_id": uuid.UUID(state.customer_id),
        "version": state.version,
        "status": state.status,
        "merged_into": uuid.UUID(state.merged_into) if state.merged_into else None,
        "blacklisted": state.blacklisted,
        "name": state.name,
        "contacts": orjson.dumps({"phones": state.phones, "emails": state.emails}).decode(),
        "locale": state.locale,
        "unit": state.unit,
        "unit_path": state.unit_path,
        "account_manager": state.account_manager,
        "updated_at": now,
    }


def follow_complaints(context: Context, events: Iterable[Event]) -> None:
    """Know which customers have an open complaint. Late news lose: of one case only what happened last counts."""
    rows: dict[uuid.UUID, dict[str, Any]] = {}
    for event in events:
        data = event.data
        if not event.type.startswith("complaint.") or not data.get("customer_id"):
            continue
        if data.get("type", "complaint") != "complaint":
            continue  # praise, an inquiry or a suggestion keeps nothing back
        row = {
            "complaint_id": uuid.UUID(data["complaint_id"]),
            "customer_id": uuid.UUID(data["customer_id"]),
            "open": data["status"] != "closed",
            "round": data["round"],
            "at": datetime.fromisoformat(data["at"]),
        }
        before = rows.get(row["complaint_id"])
        if before is None or _later(row, before):
            rows[row["complaint_id"]] = row
    if not rows:
        return
    session = context.session
    statement = insert(OpenComplaint)
    newer = or_(
        OpenComplaint.at < statement.excluded.at,
        (OpenComplaint.at == statement.excluded.at) & (OpenComplaint.open > statement.excluded.open),
    )
    kept = {name: statement.excluded[name] for name in ("customer_id", "open", "round", "at")}
    statement = statement.on_conflict_do_update(index_elements=["complaint_id"], set_=kept, where=newer)
    session.execute(statement, [rows[key] for key in sorted(rows)])
    closed = {str(row["customer_id"]) for row in rows.values() if not row["open"]}
    if closed:
        release(session, closed, context.clock.now())


def _later(row: Mapping[str, Any], before: Mapping[str, Any]) -> bool:
    """Of two things that happened to a case at the same instant its closing is the later one."""
    return bool((row["at"], not row["open"]) > (before["at"], not before["open"]))


def release(session: Session, customer_ids: Iterable[str], now: datetime) -> None:
    """What is held for these customers is looked at again; whatever still keeps it back holds it again."""
    ids = [uuid.UUID(one) for one in sorted(customer_ids)]
    session.execute(
        update(Message)
        .where(Message.customer_id.in_(ids), Message.status == "held")
        .values(status="queued", next_attempt_at=now)
        .execution_options(synchronize_session=False)
    )


def forget(session: Session, customer_ids: Sequence[str], now: datetime) -> None:
    """A customer was erased: nothing open is sent, and nothing readable of them stays (decision 34)."""
    ids = [uuid.UUID(one) for one in sorted(customer_ids)]
    known = Message.customer_id.in_(ids)
    quiet = {"synchronize_session": False}
    session.execute(update(Message).where(known).values(**_STRUCK).execution_options(**quiet))
    session.execute(
        text("UPDATE inbox_item SET subject = NULL, body = '' FROM message WHERE message.id = inbox_item.message_id "
             "AND message.customer_id = ANY(:ids)"),
        {"ids": ids},
    )  # fmt: skip
    session.execute(text("DELETE FROM preference WHERE customer_id = ANY(:ids)"), {"ids": ids})


def preference_of(session: Session, customer_id: uuid.UUID) -> Preference | None:
    """What a customer prefers, if they ever said."""
    return session.get(Preference, customer_id)


def say_consent(
    context: Context, customer_id: uuid.UUID, class_: str, channel: str, given: bool, source: str, by: str,
    at: datetime | None = None,
) -> None:  # fmt: skip
    """Record a consent or its withdrawal, with where it came from (CC-05)."""
    now = context.clock.now()
    context.session.execute(
        insert(Consent)
        .values(
            customer_id=customer_id, class_=class_, channel=channel, given=given, at=at or now, source=source, by=by,
            recorded_at=now,
        )
        .on_conflict_do_nothing()
    )  # fmt: skip


def consents_of(session: Session, customer_id: uuid.UUID) -> list[Consent]:
    """Everything ever said, newest last."""
    return list(session.scalars(select(Consent).where(Consent.customer_id == customer_id).order_by(Consent.id)))
