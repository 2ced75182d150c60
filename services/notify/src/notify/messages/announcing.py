"""What the rest of the house hears of a message: that it arrived, or that it never will."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.runtime import Context
from notify.messages.tables import Message


def announce_delivered(context: Context, messages: Iterable[Message]) -> None:
    """``notification.delivered``: once per message, whatever confirms it again."""
    outbox.record(context.session, [_event(context, "notification.delivered.v1", _of(one)) for one in messages])


def announce_failed(context: Context, messages: Iterable[Message | Mapping[str, Any]]) -> None:
    """``notification.failed``: permanent failure, expired, suppressed or cancelled."""
    rows = [_of(one) if isinstance(one, Message) else one for one in messages]
    outbox.record(context.session, [_event(context, "notification.failed.v1", row) for row in rows])


def _of(message: Message) -> dict[str, Any]:
    names = (
        "id", "customer_id", "recipient_kind", "recipient", "template", "class_", "channel", "locale", "source",
        "event_id", "hidden_alone", "hidden_with_subordinates", "status", "why", "attempts", "provider_reference",
        "policyversion",
    )  # fmt: skip
    return {name: getattr(message, name) for name in names}


def _event(context: Context, type_: str, row: Mapping[str, Any]) -> Event:
    customer_id = str(row["customer_id"]) if row["customer_id"] else None
    kind = row["recipient_kind"]
    data: dict[str, Any] = {
        "customer_id": customer_id,
        "message_id": str(row["id"]),
        # A complainant who is nobody's customer was written to at the address they left.
        "recipient_kind": ("customer" if customer_id else "address") if kind == "complainant" else kind,
        "staff": row["recipient"] if kind == "staff" else None,
        "template": row["template"],
        "class": row["class_"],
        "channel": row["channel"],
        "locale": row["locale"],
        "cause": f"{row['source']} {row['event_id']}"[:512],
        "hidden_from": [
            *({"staff": name, "with_subordinates": False} for name in row["hidden_alone"]),
            *({"staff": name, "with_subordinates": True} for name in row["hidden_with_subordinates"]),
        ],
        "at": context.clock.now().isoformat(),
        "attempts": row.get("attempts", 0),
    }
    if type_ == "notification.failed.v1":
        data |= {"status": row["status"], "reason": row["why"] or "unknown"}
    else:
        data["provider_reference"] = row["provider_reference"]
    return outbox.draft(
        context.session, type_, subject=str(row["id"]), data=data, key=f"{type_}:{row['id']}",
        partitionkey=customer_id or str(row["id"]), policyversion=row["policyversion"],
    )  # fmt: skip
