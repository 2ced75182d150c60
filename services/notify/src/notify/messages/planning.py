"""From events to messages: one per (route, event, recipient, channel), whatever is delivered twice (CG-14, FR-07).

A batch is planned in a handful of statements. Each recipient gets the first channel of their order that may be used
now; what may not be sent at all is kept as ``suppressed`` with the reason, so that silence can be explained.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.ids import uuid7
from chassis.messaging.event import Event
from chassis.people.guard import as_columns
from chassis.policies.book import Policy
from chassis.runtime import Context
from notify.messages.announcing import announce_failed
from notify.messages.judging import Verdict, Word, judge, way_barred
from notify.messages.lifecycle import FAILED
from notify.messages.tables import Message
from notify.messages.targets import Target, Targets
from notify.policy.rules import NotifyPolicy, Route
from notify.recipients.queries import Staff, barred, load_customers, mark
from notify.routes.domain import concerned
from notify.routes.use_cases import in_force

LOOK_AGAIN = timedelta(hours=1)
STATUS_OF = {"send": "queued", "wait": "queued", "hold": "held", "suppress": "suppressed", "expire": "expired"}


@dataclass(frozen=True)
class Cause:
    """What a message comes from: an event, or a call that asked for it."""

    source: str
    event_id: str
    event_type: str | None
    data: Mapping[str, Any]
    hidden_from: Sequence[Mapping[str, Any]] = ()


@dataclass
class Plan:
    """Messages to be, before they are written."""

    context: Context
    policy: Policy
    now: datetime
    rows: list[dict[str, Any]] = field(default_factory=list)
    _waiting: list[tuple[Route, Cause, Target]] = field(default_factory=list)

    @property
    def rules(self) -> NotifyPolicy:
        rules: NotifyPolicy = self.policy.rules
        return rules

    def add(self, route: Route, cause: Cause, target: Target) -> None:
        """One recipient of one route and event."""
        self._waiting.append((route, cause, target))

    def write(self) -> list[uuid.UUID]:
        """Choose channels, judge, insert; the ids of those that were not there before."""
        session = self.context.session
        marks = [mark(way, address) for _, _, target in self._waiting for way, address in target.addresses.items()]
        shut = barred(session, marks)
        rows = [self._row(route, cause, target, shut) for route, cause, target in self._waiting]
        if not rows:
            return []
        statement = insert(Message).on_conflict_do_nothing(constraint="uq_message_once").returning(Message.id)
        written = set(session.scalars(statement, rows))
        announce_failed(self.context, [row for row in rows if row["id"] in written and row["status"] in FAILED])
        return [row["id"] for row in rows if row["id"] in written]

    def _row(self, route: Route, cause: Cause, target: Target, shut: set[tuple[str, str]]) -> dict[str, Any]:
        rules, now = self.rules, self.now
        expires_at = now + rules.channels.keep[route.class_].exact
        channel = choose(route.class_, target, shut, rules)
        address = target.addresses.get(channel)
        word = Word(route.class_, channel, route.urgent, route.by_law, expires_at)
        stopped = address is not None and mark(channel, address) in shut
        # The cap is counted when the message goes: now it is unknown how many others go before it.
        verdict = judge(word, target.standing, address, stopped, 0, rules, now)
        data = {"event": cause.data, **target.extra}
        return {
            "id": uuid7(now),
            "route": route.name,
            "source": cause.source,
            "event_id": cause.event_id,
            "event_type": cause.event_type,
            "recipient_kind": target.kind,
            "recipient": target.recipient,
            "customer_id": uuid.UUID(target.customer_id) if target.customer_id else None,
            "unit_path": target.unit_path,
            "channel": channel,
            "channels": list(target.order),
            "class_": route.class_,
            "template": route.template,
            "locale": target.locale,
            "urgent": route.urgent,
            "by_law": route.by_law,
            "status": STATUS_OF[verdict.kind],
            "why": verdict.why,
            "clause": verdict.clause or route.clause,
            "policyversion": self.policy.version,
            "created_at": now,
            "not_before": verdict.until or now,
            "expires_at": expires_at,
            **times(verdict, now, expires_at),
            "name": target.name,
            "address": address,
            "data": None if verdict.kind in ("suppress", "expire") else orjson.dumps(data, default=str).decode(),
            **as_columns(cause.hidden_from),
        }


def times(verdict: Verdict, now: datetime, expires_at: datetime) -> dict[str, datetime | None]:
    """When the row is looked at next: at its time, now and then while it is held, never once it is over."""
    if verdict.kind in ("suppress", "expire"):
        return {"next_attempt_at": None, "ended_at": now}
    if verdict.kind == "hold":
        # Released by what it waits for; looked at all the same, for a release that crossed with the holding.
        return {"next_attempt_at": min(now + LOOK_AGAIN, expires_at), "ended_at": None}
    return {"next_attempt_at": verdict.until or now, "ended_at": None}


def choose(
    class_: str, target: Target, shut: set[tuple[str, str]], rules: NotifyPolicy, after: str | None = None
) -> str:
    """The first channel of the recipient's order (after one that failed) that reaches them and that they allow."""
    order = target.order if after is None else target.order[target.order.index(after) + 1 :]
    for channel in order:
        address = target.addresses.get(channel)
        if address is None or mark(channel, address) in shut:
            continue
        if way_barred(class_, channel, target.standing, rules) is None:
            return channel
    return order[0] if order else target.order[0]


def plan_events(context: Context, events: Iterable[Event]) -> list[uuid.UUID]:
    """Plan every message that these events ask for; the ids of the new ones."""
    policy = context.policies.in_force()
    rules: NotifyPolicy = policy.rules
    routes = in_force(context.session, rules)
    asked = [
        (event, found) for event in events if (found := concerned(routes, event.type.rsplit(".", 1)[0], event.data))
    ]
    if not asked:
        return []
    now = context.clock.now()
    staff = Staff(context.session, now)
    data = [event.data for event, _ in asked]
    customers = load_customers(context.session, {one["customer_id"].lower() for one in data if one.get("customer_id")})
    staff.learn(
        name
        for one in data
        for key in ("handler", "previous_handler", "account_manager", "receiver", "by")
        if (name := one.get(key))
    )
    targets = Targets(rules, staff, customers)
    plan = Plan(context, policy, now)
    for event, found in asked:
        cause = Cause(event.source, event.id, event.type, event.data, event.data.get("hidden_from") or ())
        for route in found:
            for target in targets.of(route, event.data):
                plan.add(route, cause, target)
    return plan.write()


def strike_secrets(session: Session, subscription: str, events: Iterable[Event]) -> None:
    """Forget the raw bodies that carry a link's token: the inbox would keep them readable for a fortnight."""
    keys = [(event.source, event.id) for event in events if event.type.startswith("link.")]
    if keys:
        session.execute(
            text("UPDATE chassis.inbox SET body = NULL FROM unnest(CAST(:sources AS text[]), CAST(:ids AS text[])) "
                 "AS given (source, event_id) WHERE inbox.subscription = :subscription "
                 "AND inbox.source = given.source AND inbox.event_id = given.event_id"),
            {"subscription": subscription, "sources": [key[0] for key in keys], "ids": [key[1] for key in keys]},
        )  # fmt: skip


__all__ = ["Cause", "Plan", "choose", "plan_events", "strike_secrets"]
