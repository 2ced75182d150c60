"""What decides about messages that are about to go: asked anew for each batch, since much may have changed."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import func, or_, select, text

from chassis.people.guard import as_hidden_from
from chassis.runtime import Context
from notify.messages.judging import INTERNAL, Standing, Verdict, Word, judge
from notify.messages.lifecycle import OUT
from notify.messages.planning import choose
from notify.messages.tables import Message
from notify.messages.targets import Target
from notify.policy.rules import NotifyPolicy
from notify.recipients.queries import Customer, Staff, barred, load_customers, mark

# Two senders that count the same customer's messages at once would both find room for one more.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(hashtextextended(:customer, 7236))")


class Facts:
    """Everything known about the recipients of one batch, inside the transaction that holds its rows."""

    def __init__(self, context: Context, messages: Sequence[Message]) -> None:
        self.context, self.now = context, context.clock.now()
        self.rules: NotifyPolicy = context.policies.in_force().rules
        session = context.session
        capped = {
            str(one.customer_id) for one in messages if one.customer_id and one.class_ in self.rules.frequency.most
        }
        for customer in sorted(capped):
            session.execute(_ONE_AT_A_TIME, {"customer": customer})
        self.staff = Staff(session, self.now)
        self.staff.learn(one.recipient for one in messages if one.recipient_kind == "staff")
        self.customers = load_customers(session, {str(one.customer_id) for one in messages if one.customer_id})
        self.payloads = {one.id: orjson.loads(str(one.data)) if one.data else {"event": {}} for one in messages}
        ways = [mark(way, where) for one in messages for way, where in self.reach(one).items()]
        self.shut = barred(session, ways)

    def customer(self, message: Message) -> Customer | None:
        return self.customers.get(str(message.customer_id)) if message.customer_id else None

    def reach(self, message: Message) -> dict[str, str]:
        """Addresses by channel as they are now; what the recipient left with the matter counts first."""
        planned = {message.channel: str(message.address)} if message.address else {}
        known = self.customer(message)
        if message.recipient_kind == "staff" or known is None:
            return planned
        current = {way: where for way, where in known.addresses.items() if way not in INTERNAL}
        payload = self.payloads[message.id]
        said = payload["event"].get("complainant") or {}
        theirs = payload.get("pinned") or said.get("phone") or said.get("email")
        return {**current, **planned} if theirs else {**planned, **current}

    def standing(self, message: Message) -> Standing:
        known = self.customer(message)
        if message.recipient_kind == "customer" and known is not None:
            return known.standing
        return Standing(message.recipient_kind)

    def target(self, message: Message) -> Target:
        """The recipient as the planner would see them now."""
        return Target(
            message.recipient_kind, message.recipient, self.standing(message), self.reach(message),
            tuple(message.channels), str(message.customer_id) if message.customer_id else None,
        )  # fmt: skip

    def verdict(self, message: Message) -> Verdict:
        """May it go now?"""
        if refusal := self._guard(message):
            return refusal
        if message.channel in INTERNAL and message.recipient_kind == "staff":
            return judge(self._word(message), Standing("staff"), message.recipient, False, 0, self.rules, self.now)
        address = self.reach(message).get(message.channel)
        shut = address is not None and mark(message.channel, address) in self.shut
        return judge(
            self._word(message), self.standing(message), address, shut, self._lately(message), self.rules, self.now
        )

    def another_way(self, message: Message) -> str | None:
        """The next channel of the recipient's order that would reach them."""
        target = self.target(message)
        if message.channel not in target.order or target.order[-1] == message.channel:
            return None
        channel = choose(message.class_, target, self.shut, self.rules, after=message.channel)
        address = target.addresses.get(channel)
        usable = address is not None and mark(channel, address) not in self.shut
        return channel if usable and channel != message.channel else None

    def _guard(self, message: Message) -> Verdict | None:
        """Whoever must not see it, must not get it: also if they only now came under the accused (decision 13)."""
        ours = message.recipient if message.recipient_kind == "staff" else None
        if message.channel in INTERNAL:
            ours = ours or message.address
        if ours is None:
            return None
        if self.staff.person(ours) is None:
            return Verdict("suppress", "this account is disabled", self.rules.channels.clause)
        if not self.staff.may_see(ours, as_hidden_from(message)):
            return Verdict("suppress", "not for this recipient", "TR-11")
        return None

    def _word(self, message: Message) -> Word:
        return Word(message.class_, message.channel, message.urgent, message.by_law, message.expires_at)

    def _lately(self, message: Message) -> int:
        """How many of its class the customer got, or is being sent, within the cap's window."""
        if message.customer_id is None or message.class_ not in self.rules.frequency.most:
            return 0
        since: datetime = self.rules.frequency.within.before(self.now, self.rules.company.time_zone)
        counted: Any = select(func.count()).where(
            Message.customer_id == message.customer_id,
            Message.class_ == message.class_,
            Message.id != message.id,
            or_(
                Message.status.in_(OUT) & (Message.sent_at > since),
                Message.lease.is_not(None) & Message.status.in_(("queued", "temporary_failure")),
            ),
        )
        return int(self.context.session.scalar(counted) or 0)
