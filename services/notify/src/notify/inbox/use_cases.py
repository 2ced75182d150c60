"""Put a message into somebody's inbox: in the transaction that calls it delivered, so never twice and never lost."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chassis.ids import uuid7
from chassis.runtime import Context
from notify.inbox.tables import InboxItem
from notify.messages.tables import Message
from notify.templates.domain import Rendered

LINKED = ("complaint_id", "number", "customer_id", "visit_id", "work_order_id", "survey_id")


def place(context: Context, message: Message, username: str, rendered: Rendered, payload: Mapping[str, Any]) -> None:
    """One item for one person. A call task says whom to dial."""
    data = payload["event"]
    body = rendered.stored_text
    if message.channel == "call_task":
        who = " ".join(filter(None, (message.name, payload.get("phone"))))
        body = f"☎ {who}\n\n{body}"
    context.session.add(
        InboxItem(
            id=uuid7(context.clock.now()),
            message_id=message.id,
            username=username,
            kind="call_task" if message.channel == "call_task" else "message",
            class_=message.class_,
            template=message.template,
            subject=rendered.stored_subject,
            body=body,
            link={name: data[name] for name in LINKED if data.get(name)},
            created_at=context.clock.now(),
            hidden_alone=message.hidden_alone,
            hidden_with_subordinates=message.hidden_with_subordinates,
        )
    )
