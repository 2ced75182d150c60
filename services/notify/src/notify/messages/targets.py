"""To whom, precisely: the recipients of a route, resolved for one event, each with addresses and the guard's consent.

Nobody from whom an event is hidden is ever a target (decision 13): not as named, superior, holder of a role, deputy,
caller of a call task, nor by a bare address of theirs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from chassis.people import StaffRow
from notify.messages.judging import Standing
from notify.policy.rules import PEOPLE, NotifyPolicy, Recipient, Route
from notify.recipients.domain import addresses, fingerprint
from notify.recipients.queries import Customer, Staff

CALLERS = ("handler", "account_manager", "receiver")  # who of those an event names makes the call


@dataclass(frozen=True)
class Target:
    """One recipient of one route and event. ``recipient`` is what makes messages to them one."""

    kind: str
    recipient: str
    standing: Standing
    addresses: Mapping[str, str]
    order: tuple[str, ...]  # channels, best first
    customer_id: str | None = None
    name: str | None = None
    locale: str | None = None
    unit_path: str = "/"
    extra: Mapping[str, Any] = field(default_factory=dict)


class Targets:
    """Resolves recipients for a batch whose customers were loaded beforehand."""

    def __init__(self, policy: NotifyPolicy, staff: Staff, customers: Mapping[str, Customer]) -> None:
        self.policy, self.staff, self.customers = policy, staff, customers

    def of(self, route: Route, data: Mapping[str, Any]) -> list[Target]:
        """Every recipient of a route, each once."""
        found: dict[tuple[str, str], Target] = {}
        for one in route.to:
            for target in self._resolve(one, route, data):
                found.setdefault((target.kind, target.recipient), target)
        return list(found.values())

    def _resolve(self, one: Recipient, route: Route, data: Mapping[str, Any]) -> Iterator[Target]:
        hidden = list(data.get("hidden_from") or ())
        if one.kind == "address":
            assert one.channel is not None  # noqa: S101 - the reader has looked
            if not self.staff.owns_address(one.value, hidden):
                yield self._address(one.value, one.channel)
        elif one.kind == "role":
            for person in self.staff.holders(one.value, data.get("unit")):
                yield from self._person(person, route, hidden)
        elif one.value in ("customer", "complainant"):
            yield from self.guest(one.value, route, data, hidden)
        elif one.value == "superior":
            below = data.get("handler") or data.get("account_manager")
            yield from self._person(self.staff.superior(below, hidden), route, hidden)
        elif one.value in PEOPLE:
            yield from self._person(self.staff.person(data.get(one.value)), route, hidden)

    def _person(self, person: StaffRow | None, route: Route, hidden: list[dict[str, Any]]) -> Iterator[Target]:
        if person is None:
            return
        for one in (person, self.staff.deputy(person)):
            if one is not None and self.staff.may_see(one.username, hidden):
                yield self.member(one, route.channels)

    def member(self, person: StaffRow, channels: tuple[str, ...] = ()) -> Target:
        """A member of staff; the inbox reaches everybody."""
        state = person.state
        reach = {"inbox": person.username, "call_task": person.username}
        numbers = [str(state["phone"])] if state.get("phone") else []
        mails = [str(state["email"])] if state.get("email") else []
        reach |= {way: where for way, where in addresses(numbers, mails).items() if way != "call_task"}
        return Target(
            "staff", person.username, Standing("staff"), reach, channels or self.policy.channels.staff,
            name=person.name, locale=state.get("locale"), unit_path=person.unit_path,
        )  # fmt: skip

    def guest(
        self, named: str, route: Route, data: Mapping[str, Any], hidden: list[dict[str, Any]]
    ) -> Iterator[Target]:
        """The customer; as complainant also somebody who is not in the registry."""
        customer_id = (data.get("customer_id") or "").lower()
        said = (data.get("complainant") or {}) if named == "complainant" else {}
        numbers, mails = ([said[key]] if said.get(key) else [] for key in ("phone", "email"))
        left = addresses(numbers, mails)
        if customer_id:
            known = self.customers[customer_id]
            standing = known.standing
            if named == "complainant" and not standing.known:
                # They are answered where they said, even before their registration has reached us.
                standing = Standing("complainant", complaint_open=standing.complaint_open)
            yield self._guest_target(
                "customer" if standing.kind == "customer" else "complainant", known.customer_id, known, standing,
                {**known.addresses, **left}, route, data, hidden, said.get("name"),
            )  # fmt: skip
        elif named == "complainant":
            nobody = Customer("", Standing("complainant"))
            yield self._guest_target(
                "complainant", f"complaint:{data['complaint_id']}", nobody, nobody.standing, left, route, data, hidden,
                said.get("name"),
            )  # fmt: skip

    def _guest_target(
        self, kind: str, recipient: str, known: Customer, standing: Standing, reach: dict[str, str], route: Route,
        data: Mapping[str, Any], hidden: list[dict[str, Any]], called: str | None,
    ) -> Target:  # fmt: skip
        number = reach.pop("call_task", None)
        caller = self._caller(known, data, hidden) if number else None
        if caller is not None:
            reach["call_task"] = caller.username
        order = route.channels or self.policy.channels.order
        preferred = tuple(dict.fromkeys([*(way for way in known.channels if way in order), *order]))
        return Target(
            kind, recipient, standing, reach, preferred, known.customer_id or None, called or known.name,
            data.get("locale") or known.locale, known.unit_path if known.customer_id else self._unit_path(data),
            {"phone": number} if caller is not None else {},
        )  # fmt: skip

    def _caller(self, known: Customer, data: Mapping[str, Any], hidden: list[dict[str, Any]]) -> StaffRow | None:
        """Who of us dials the number: whom the event names, else the account manager."""
        for username in (*(data.get(name) for name in CALLERS), known.account_manager):
            person = self.staff.person(username)
            if person is not None and self.staff.may_see(person.username, hidden):
                return person
        return None

    def _unit_path(self, data: Mapping[str, Any]) -> str:
        handler = self.staff.person(data.get("handler"))
        return handler.unit_path if handler is not None else "/"

    def _address(self, address: str, channel: str) -> Target:
        return Target(
            "address", f"{channel}:{fingerprint(channel, address)[:32]}", Standing("address"), {channel: address},
            (channel,),
        )  # fmt: skip
