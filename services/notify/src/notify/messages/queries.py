"""What may be read of messages, and by whom: the guard, the unit, and text and addresses by role."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, Select, Text, and_, cast, func, literal, not_, or_, select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.people.guard import Viewer, viewer
from chassis.web import Principal
from notify.messages.lifecycle import allowed
from notify.messages.tables import Message

TEXTS = "messages:texts"  # the permission to read what was said, and where it went
MASK = "•••"


def visible(session: Session, principal: Principal) -> Select[Any]:
    """The messages that the caller may know of."""
    return select(Message).where(viewer(session, principal).sees(Message), _within(principal))


def _within(principal: Principal) -> ColumnElement[bool]:
    if principal.kind == "system" or principal.unit_path == "/":
        return literal(True)
    return or_(
        Message.unit_path.startswith(principal.unit_path, autoescape=True),
        and_(Message.recipient_kind == "staff", Message.recipient == principal.username),
    )


def hidden_subjects(eyes: Viewer) -> Select[Any]:
    """What the audit trail calls the messages that this viewer must not know of."""
    guarded = or_(Message.hidden_alone != [], Message.hidden_with_subordinates != [])
    return select(func.concat("message:", cast(Message.id, Text))).where(guarded, not_(eyes.sees(Message)))


def the_message(session: Session, principal: Principal, message_id: UUID, *, lock: bool = False) -> Message:
    """One message. Raises NotFound, also for one that is hidden from the caller."""
    found = visible(session, principal).where(Message.id == message_id)
    message: Message | None = session.scalars(found.with_for_update() if lock else found).first()
    if message is None:
        raise NotFound(f"no message {message_id}")
    return message


def shown(message: Message, principal: Principal) -> dict[str, Any]:
    """The message resource; text and address only for those who may read them, or for the recipient."""
    reads = principal.may(TEXTS) or (message.recipient_kind == "staff" and message.recipient == principal.username)
    return {
        "id": message.id,
        "route": message.route,
        "cause": {"source": message.source, "id": message.event_id, "type": message.event_type},
        "recipient_kind": message.recipient_kind,
        "recipient": message.recipient,
        "name": message.name if reads else None,
        "address": message.address if reads or message.address is None else masked(str(message.address)),
        "customer_id": message.customer_id,
        "channel": message.channel,
        "class": message.class_,
        "template": message.template,
        "template_version": message.template_version,
        "locale": message.locale,
        "status": message.status,
        "allowed": [event for event in allowed(message.status) if event == "cancel"],
        "why": {"reason": message.why, "clause": message.clause, "policyversion": message.policyversion},
        "attempts": message.attempts,
        "possible_duplicates": message.possible_duplicates,
        "created_at": message.created_at,
        "not_before": message.not_before,
        "next_attempt_at": message.next_attempt_at,
        "sent_at": message.sent_at,
        "ended_at": message.ended_at,
        "provider_reference": message.provider_reference,
        "subject": message.subject if reads else None,
        "body": message.body if reads else None,
    }


def masked(address: str) -> str:
    """The last characters of an address, for those who only have to recognise it."""
    kept = address.rpartition("@")[2] if "@" in address else address[-4:]
    return f"{MASK}@{kept}" if "@" in address else f"{MASK}{kept}"
