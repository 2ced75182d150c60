"""Taking messages in hand: which may go now, and to whom they belong until when.

A taken row carries a lease. Whoever dies leaves it lapse, and the row is taken by the next one; a row whose attempt had
begun is then known as interrupted, and treated as an attempt whose end nobody knows.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

import orjson
import structlog
from sqlalchemy import select
from sqlalchemy.exc import DBAPIError

from chassis.runtime import Context
from notify.channels import Guarded, Outcome, Outgoing
from notify.delivery.facts import Facts
from notify.delivery.metrics import ENDED
from notify.delivery.settling import again, give_up, obey
from notify.inbox.use_cases import place
from notify.messages.announcing import announce_delivered
from notify.messages.judging import INTERNAL
from notify.messages.lifecycle import after
from notify.messages.tables import Message
from notify.templates.domain import Rendered, Surroundings
from notify.templates.use_cases import Shelf, render

log = structlog.get_logger(__name__)

INTERRUPTED = Outcome("temporary", reason="the sender died during the attempt", uncertain=True)


@dataclass(frozen=True)
class Hand:
    """One sender: its name on leases, how long they last, what it can send over, and what texts know of us."""

    owner: uuid.UUID
    lease: timedelta
    channels: Mapping[str, Guarded]
    around: Surroundings


@dataclass(frozen=True)
class Held:
    """A message that a sender has in hand, its secrets still in its text: that is stored nowhere."""

    id: uuid.UUID
    rendered: Rendered


def take(context: Context, hand: Hand, limit: int) -> list[Held]:
    """Judge what is due for the outside world, write it out and lease what may go; oldest first."""
    messages = _due(context, limit, internal=False)
    if not messages:
        return []
    for message in messages:
        if message.status == "sending":
            channel = hand.channels.get(message.channel)
            again(context, message, INTERRUPTED, channel is not None and channel.idempotent)
    open_ones = [message for message in messages if message.ended_at is None]
    facts = Facts(context, open_ones)
    shelf = Shelf(context.session)
    taken: list[Held] = []
    for message in open_ones:
        verdict = facts.verdict(message)
        if verdict.kind != "send":
            obey(context, message, verdict, facts)
        elif message.channel not in hand.channels:
            give_up(context, message, f"this installation has no channel {message.channel}")
        elif (wait := hand.channels[message.channel].ready()) > timedelta(0):
            message.next_attempt_at = facts.now + wait
        else:
            _ready(message, facts)
            if rendered := _rendered(context, shelf, hand, message):
                message.lease, message.next_attempt_at = hand.owner, facts.now + hand.lease
                taken.append(Held(message.id, rendered))
    return taken


def begin(context: Context, hand: Hand, held: Held, message: Message) -> tuple[Guarded, Outgoing] | None:
    """Commit to an attempt: after this transaction the provider may be called. None: its channel fell out of order."""
    now = context.clock.now()
    channel = hand.channels[message.channel]
    if (wait := channel.ready()) > timedelta(0):
        message.lease, message.next_attempt_at = None, now + wait
        return None
    message.status = after(message.status, "begin")
    message.attempts += 1
    message.sent_at = now
    message.next_attempt_at = now + hand.lease
    return channel, Outgoing(str(held.id), str(message.address), held.rendered, idempotency_key=str(held.id), at=now)


def held_by(context: Context, hand: Hand, ids: Iterable[uuid.UUID]) -> dict[uuid.UUID, Message]:
    """Those rows, locked, that are still this sender's by their lease."""
    mine = select(Message).where(Message.id.in_(ids), Message.lease == hand.owner).order_by(Message.id)
    return {message.id: message for message in context.session.scalars(mine.with_for_update())}


def place_due(context: Context, hand: Hand, limit: int) -> int:
    """Deliver what stays in the house: inbox items and call tasks, with their messages, in one transaction."""
    messages = _due(context, limit, internal=True)
    if not messages:
        return 0
    facts = Facts(context, messages)
    shelf = Shelf(context.session)
    placed: list[Message] = []
    for message in messages:
        verdict = facts.verdict(message)
        if verdict.kind != "send":
            obey(context, message, verdict, facts)
            continue
        _ready(message, facts)
        rendered = _rendered(context, shelf, hand, message)
        if rendered is None:
            continue
        ours = message.recipient if message.recipient_kind == "staff" else str(message.address)
        place(context, message, ours, rendered, facts.payloads[message.id])
        message.status = after(message.status, "place")
        message.attempts += 1
        message.sent_at = message.ended_at = facts.now
        message.next_attempt_at, message.data, message.why = None, None, None
        ENDED.labels(message.channel, message.status).inc()
        placed.append(message)
    announce_delivered(context, placed)
    return len(messages)


def let_go(context: Context, hand: Hand) -> None:
    """Give back what was leased and not begun, so that nobody waits for the lease to end."""
    mine = select(Message).where(Message.lease == hand.owner, Message.status != "sending")
    for message in context.session.scalars(mine.where(Message.next_attempt_at.is_not(None)).with_for_update()):
        message.lease, message.next_attempt_at = None, context.clock.now()


def _due(context: Context, limit: int, *, internal: bool) -> list[Message]:
    ours = Message.channel.in_(INTERNAL) if internal else Message.channel.not_in(INTERNAL)
    due = select(Message).where(Message.next_attempt_at <= context.clock.now(), ours)
    due = due.order_by(Message.next_attempt_at, Message.id).limit(limit)
    return list(context.session.scalars(due.with_for_update(skip_locked=True)))


def _ready(message: Message, facts: Facts) -> None:
    """A message that may go: what held it is over, and its address is the present one."""
    if message.status == "held":
        message.status = after(message.status, "release")
    message.why = None if message.status == "queued" else message.why
    if message.recipient_kind != "staff" or message.channel not in INTERNAL:
        message.address = facts.reach(message).get(message.channel)


def _rendered(context: Context, shelf: Shelf, hand: Hand, message: Message) -> Rendered | None:
    """The text, kept with its secrets struck out; None, and the message given up, when there is none to be had."""
    try:
        payload = orjson.loads(str(message.data or "{}")).get("event", {})
        rendered = render(
            shelf, message.template, message.channel, message.locale, payload, hand.around, recipient=message.name
        )
    except DBAPIError:
        raise  # the texts can't be read now, which says nothing of them
    except Exception as fault:
        # A text that can't be filled in will not be filled in by trying again; whoever wrote it learns of it here.
        log.warning("message not rendered", message=str(message.id), template=message.template, error=str(fault))
        give_up(context, message, f"the text can't be made: {fault}")
        return None
    message.subject, message.body = rendered.stored_subject, rendered.stored_text
    message.template_version, message.locale = rendered.version, rendered.locale
    return rendered
