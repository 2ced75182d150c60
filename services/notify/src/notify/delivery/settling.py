"""What an attempt's end, or a verdict, makes of a message: status, next try, another channel, and who hears of it."""

from __future__ import annotations

import random
from datetime import datetime

from sqlalchemy.dialects.postgresql import insert

from chassis.ids import uuid7
from chassis.runtime import Context
from notify.channels import Outcome
from notify.delivery.facts import Facts
from notify.delivery.metrics import ENDED, POSSIBLE_DUPLICATES
from notify.messages.announcing import announce_delivered, announce_failed
from notify.messages.judging import Verdict, pause
from notify.messages.lifecycle import after
from notify.messages.planning import times
from notify.messages.tables import Message
from notify.policy.rules import NotifyPolicy

TWICE_UNKNOWN = "twice it is unknown whether the provider took it: not sent a third time"


def obey(context: Context, message: Message, verdict: Verdict, facts: Facts) -> None:
    """A verdict other than ``send``: the message waits, is held, or ends here (or goes on over another channel)."""
    message.lease = None
    message.why, message.clause = verdict.why, verdict.clause or message.clause
    when = times(verdict, facts.now, message.expires_at)
    message.next_attempt_at = when["next_attempt_at"]
    if verdict.kind == "wait":
        message.status = "queued" if message.status == "held" else message.status
        message.not_before = verdict.until or message.not_before
    elif verdict.kind == "hold":
        message.status = message.status if message.status == "held" else after(message.status, "hold")
    elif verdict.kind == "expire":
        end(context, message, "expire", verdict.why)
    else:
        if verdict.another_way:
            onward(context, message, facts)
        end(context, message, "suppress", verdict.why)


def settle(context: Context, message: Message, outcome: Outcome, idempotent: bool) -> None:
    """An attempt ended."""
    now = context.clock.now()
    message.lease = None
    message.provider_reference = outcome.reference or message.provider_reference
    if outcome.kind in ("sent", "delivered"):
        message.status = after(message.status, "accept" if outcome.kind == "sent" else "confirm")
        message.why = None
        _close(message, now)
        announce_delivered(context, [message])  # confirmed, or nothing more can be known
    elif outcome.kind == "permanent":
        give_up(context, message, outcome.reason)
    else:
        again(context, message, outcome, idempotent)


def again(context: Context, message: Message, outcome: Outcome, idempotent: bool) -> None:
    """An attempt failed and another may do better: after a growing pause, a bounded number of times.

    Where the provider may hold the message all the same and knows no idempotency key, the next attempt may be a
    duplicate: it is counted, and there is one such attempt at most.
    """
    policy: NotifyPolicy = context.policies.in_force().rules
    rules, now = policy.channels, context.clock.now()
    if outcome.uncertain and not idempotent:
        if message.possible_duplicates:
            give_up(context, message, TWICE_UNKNOWN)
            return
        message.possible_duplicates += 1
        POSSIBLE_DUPLICATES.labels(message.channel).inc()
    if message.attempts > rules.retries:
        give_up(context, message, f"given up after {message.attempts} attempts: {outcome.reason}")
        return
    message.status = after(message.status, "fail")
    message.why = outcome.reason
    wait = pause(message.attempts, rules.retry_after.exact, rules.retry_at_most.exact, random.random())  # noqa: S311
    message.next_attempt_at = now + max(wait, outcome.retry_after or wait)


def give_up(context: Context, message: Message, why: str | None) -> None:
    """Another attempt over this channel would end the same way; another channel may do."""
    onward(context, message, Facts(context, [message]))
    end(context, message, "give_up", why)


def onward(context: Context, message: Message, facts: Facts) -> None:
    """Plan the same word over the next channel of the recipient's order."""
    channel = facts.another_way(message)
    if channel is None or message.data is None:  # after a late receipt there is nothing left to fill a text with
        return
    names = (
        "route", "source", "event_id", "event_type", "recipient_kind", "recipient", "customer_id", "unit_path",
        "channels", "class_", "template", "locale", "urgent", "by_law", "clause", "policyversion", "expires_at", "name",
        "data", "hidden_alone", "hidden_with_subordinates",
    )  # fmt: skip
    now = context.clock.now()
    copied = {name: getattr(message, name) for name in names}
    fresh = {
        "id": uuid7(now), "channel": channel, "status": "queued", "why": f"instead of {message.channel}",
        "created_at": now, "not_before": now, "next_attempt_at": now, "address": facts.reach(message).get(channel),
    }  # fmt: skip
    context.session.execute(
        insert(Message).values(**copied, **fresh).on_conflict_do_nothing(constraint="uq_message_once")
    )


def end(context: Context, message: Message, event: str, why: str | None) -> None:
    """A message comes to its end without having reached anybody."""
    if message.status == "held" and event == "give_up":
        event = "suppress"
    message.status = after(message.status, event)
    message.why = (why or "unknown")[:2000]
    _close(message, context.clock.now())
    announce_failed(context, [message])


def _close(message: Message, now: datetime) -> None:
    """Nothing more is to be done, and what the text was filled with is forgotten: links and codes live in it."""
    message.next_attempt_at, message.lease, message.data = None, None, None
    message.ended_at = now
    ENDED.labels(message.channel, message.status).inc()
