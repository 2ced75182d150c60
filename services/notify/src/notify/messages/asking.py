"""Somebody asks for a message to be sent: a code from the portal, a word from staff. Judged like any other."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

from chassis.errors import Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from chassis.web import Principal
from notify.messages.announcing import announce_failed
from notify.messages.judging import INTERNAL, Standing
from notify.messages.lifecycle import after
from notify.messages.planning import Cause, Plan
from notify.messages.tables import Message
from notify.messages.targets import Target, Targets
from notify.policy.rules import NotifyPolicy, Route
from notify.recipients.domain import addresses, fingerprint
from notify.recipients.queries import Staff, load_customers
from notify.templates.use_cases import text_for, vocabulary_of

ROUTE = "asked"
SOURCE = "/kezhi/notify"


@dataclass(frozen=True)
class Asking:
    """What ``POST messages`` says."""

    template: str
    class_: str
    recipient: Mapping[str, Any]
    data: Mapping[str, Any]
    channel: str | None
    locale: str | None
    urgent: bool
    expires_in: int | None


def ask_for_message(context: Context, principal: Principal, asking: Asking) -> Message:
    """Plan one message to one person. Raises Invalid by path, NotFound for somebody who is not there for the caller."""
    session, now, policy = context.session, context.clock.now(), context.policies.in_force()
    if vocabulary_of(session, asking.template) is None:
        raise Invalid("There is no such template", {"template": ["no text was ever saved under this key"]})
    rules: NotifyPolicy = policy.rules
    target = _target(context, principal, asking, rules)
    # An id that carries its own hour, so that what was asked for can be found by it.
    cause = Cause(f"{SOURCE}/{principal.username}"[:512], str(uuid7(now)), None, asking.data)
    route = Route(
        name=ROUTE, event="", to=(), class_=asking.class_, template=asking.template,
        channels=(asking.channel,) if asking.channel else (), urgent=asking.urgent and asking.class_ == "service",
        clause=rules.channels.clause,
    )  # fmt: skip
    if not any(text_for(session, asking.template, way, asking.locale) for way in target.order):
        raise Invalid("The template has no text for this channel", {"channel": [f"none of {', '.join(target.order)}"]})
    plan = Plan(context, policy, now)
    plan.add(route, cause, target)
    (message_id,) = plan.write()
    message = session.get_one(Message, message_id)
    if asking.expires_in is not None:
        message.expires_at = min(message.expires_at, now + timedelta(seconds=asking.expires_in))
    session.flush()
    return message


def _target(context: Context, principal: Principal, asking: Asking, rules: NotifyPolicy) -> Target:
    said = asking.recipient
    named = [key for key in ("customer_id", "staff") if said.get(key)]
    given = bool(said.get("phone") or said.get("email"))
    if len(named) > 1 or (not named and not given) or (said.get("staff") and given):
        raise Invalid("One recipient", {"recipient": ["name a customer, or staff, or an address"]})
    staff = Staff(context.session, context.clock.now())
    if said.get("staff"):
        person = staff.person(said["staff"])
        if person is None:
            raise NotFound(f"nobody called {said['staff']} works here")
        ways = (asking.channel,) if asking.channel else ()
        return Targets(rules, staff, {}).member(person, ways)
    order = (asking.channel,) if asking.channel else rules.channels.order
    customer_id = str(said["customer_id"]) if said.get("customer_id") else None
    if customer_id is not None:
        known = load_customers(context.session, [customer_id])
        if not principal.sees_unit(known[customer_id].unit_path):
            raise NotFound(f"no customer {customer_id}")
        data = {"customer_id": customer_id, "complainant": said, "locale": asking.locale, "by": principal.username}
        plain = Route(ROUTE, "", (), asking.class_, asking.template, channels=tuple(order))
        (target,) = Targets(rules, staff, known).guest("complainant", plain, data, [])
        return replace(target, extra={**target.extra, "pinned": True}) if given else target
    reach = addresses([said["phone"]] if said.get("phone") else [], [said["email"]] if said.get("email") else [])
    found = {way: where for way, where in reach.items() if way not in INTERNAL}
    if not found:
        raise Invalid("Nobody can be reached there", {"recipient.phone": ["no mobile number"]})
    first = next(iter(found.items()))
    return Target(
        "address", f"{first[0]}:{fingerprint(*first)[:32]}", Standing("address"), found, tuple(order),
        name=said.get("name"), locale=asking.locale, unit_path=principal.unit_path,
    )  # fmt: skip


def cancel(context: Context, message: Message, reason: str | None, by: str) -> Message:
    """Take back a message that did not go yet. Raises Conflict for one that did."""
    message.status = after(message.status, "cancel")
    message.why = f"cancelled by {by}" + (f": {reason}" if reason else "")
    message.next_attempt_at, message.lease, message.data = None, None, None
    message.ended_at = context.clock.now()
    announce_failed(context, [message])
    return message
