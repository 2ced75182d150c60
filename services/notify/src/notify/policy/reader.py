"""Reading notify.yaml; faults are noted, all of them."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import Keys, boolean, choice, code, integer, listing, mapping, text, wrong
from chassis.policies.units import Duration
from notify.policy.events import events_known, members_of
from notify.policy.rules import (
    ALWAYS,
    CHANNELS,
    CLASSES,
    RECIPIENTS,
    REQUIRED,
    UNLESS_WITHDRAWN,
    CarePlan,
    ChannelRules,
    ClassesHeld,
    ConsentRules,
    FrequencyCaps,
    NeverTo,
    NotifyPolicy,
    QuietHours,
    Recipient,
    Route,
)
from notify.templates.domain import Surroundings

OCCASIONS = ("birthday", "spring_festival", "dragon_boat", "mid_autumn", "double_ninth", "national_day", "new_year")
_SPAN = ("minute", "hour", "day")
_LEAP_DAYS = ("28 February", "1 March")
_MAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+\Z")


def load(node: Node, company: Company) -> NotifyPolicy:
    """Read notify.yaml; faults are noted."""
    keys = mapping(
        node,
        ("quiet_hours", "frequency_caps", "consent", "held_while", "never_to", "routes", "channels"),
        ("care_plans", "sender"),
    )
    held = mapping(keys["held_while"], ("complaint_open",), clause=True)
    routes = listing(keys["routes"], lambda item: _route(item, company))
    reading.unique(reading.items(keys["routes"]), [route.name for route in routes], "route")
    return NotifyPolicy(
        quiet_hours=_quiet_hours(keys["quiet_hours"]),
        frequency=_frequency(keys["frequency_caps"]),
        consent=_consent(keys["consent"]),
        complaint_open=ClassesHeld(_classes(held["complaint_open"]), held.clause),
        never_to=_never_to(keys["never_to"]),
        care_plans=keys.read("care_plans", lambda rows: listing(rows, _care_plan), ()),
        routes=routes,
        channels=_channels(keys["channels"]),
        sender=keys.read("sender", _sender, Surroundings().sender),
        company=company,
    )


def _sender(node: Node) -> dict[str, str]:
    keys = mapping(node, ("zh", "en"))
    return {"zh-CN": text(keys["zh"]), "en": text(keys["en"])}


def _classes(node: Node) -> frozenset[str]:
    return frozenset(listing(node, lambda item: choice(item, *CLASSES)))


def _ways(node: Node, least: int = 1) -> tuple[str, ...]:
    ways = listing(node, lambda item: choice(item, *CHANNELS), least)
    reading.unique(reading.items(node), ways, "channel")
    return ways


def _quiet_hours(node: Node) -> QuietHours:
    keys = mapping(node, ("from", "until", "then", "channels"), ("spares",), clause=True)
    starts, ends = reading.time_of_day(keys["from"]), reading.time_of_day(keys["until"])
    choice(keys["then"], "waits")  # the only thing that is done: nothing is dropped for the hour
    if keys.sound and starts == ends:
        wrong(keys["until"], "the quiet hours last all day or not at all", "write two different times")
    spares = keys.read("spares", lambda rows: listing(rows, lambda item: choice(item, "urgent")), ())
    return QuietHours(starts, ends, frozenset(_ways(keys["channels"])), "urgent" in spares, keys.clause)


def _frequency(node: Node) -> FrequencyCaps:
    keys = mapping(node, ("within",), CLASSES, clause=True)
    most = {name: integer(keys[name], 0, 1000) for name in CLASSES if name in keys}
    if "service" in most:
        wrong(keys["service"], "service messages are never counted", "delete it")
    return FrequencyCaps(reading.duration(keys["within"], ("day", "week")), most, keys.clause)


def _consent(node: Node) -> ConsentRules:
    keys = mapping(node, CLASSES, clause=True)
    needed = {name: choice(keys[name], ALWAYS, UNLESS_WITHDRAWN, REQUIRED) for name in CLASSES}
    if keys.sound and needed["marketing"] != REQUIRED:
        wrong(keys["marketing"], "marketing without consent is against the law", f"write `{REQUIRED}`")
    return ConsentRules(needed, keys.clause)


def _never_to(node: Node) -> NeverTo:
    keys = mapping(node, ("blacklisted", "erased"), clause=True)
    return NeverTo(_classes(keys["blacklisted"]), _classes(keys["erased"]), keys.clause)


def _care_plan(node: Node) -> CarePlan:
    keys = mapping(node, ("plan", "on", "class"), ("leap_day",), clause=True)
    several = isinstance(keys["on"].value, list)
    on = listing(keys["on"], lambda item: choice(item, *OCCASIONS), 1) if several else (choice(keys["on"], *OCCASIONS),)
    leap_day = keys.read("leap_day", lambda item: choice(item, *_LEAP_DAYS), None)
    return CarePlan(code(keys["plan"]), on, choice(keys["class"], "care", "marketing"), keys.clause, leap_day)


def _route(node: Node, company: Company) -> Route:
    keys = mapping(
        node,
        ("name", "event", "to", "class"),
        ("when", "template", "channels", "urgent", "by_law"),
        clause=True,
    )
    name = code(keys["name"])
    event = _event(keys)
    return Route(
        name=name,
        event=event,
        to=listing(keys["to"], lambda item: _recipient(item, event, company), 1),
        class_=choice(keys["class"], *CLASSES),
        template=keys.read("template", code, name),
        when=keys.read("when", lambda rows: _conditions(rows, event), {}),
        channels=keys.read("channels", _ways, ()),
        urgent=keys.read("urgent", boolean, False),
        by_law=keys.read("by_law", boolean, False),
        clause=keys.clause,
    )


def _event(keys: Keys) -> str:
    event = code(keys["event"])
    if keys.sound and event not in events_known():
        wrong(keys["event"], f"`{event}` is no event", reading.suggestion(event, events_known()))
    return event


def _recipient(node: Node, event: str, company: Company) -> Recipient:
    if isinstance(node.value, dict):
        if "role" in node.value:
            keys = mapping(node, ("role",))
            role = choice(keys["role"], *company.roles)
            return Recipient("role", role)
        keys = mapping(node, ("address", "channel"))
        address, channel = text(keys["address"]), choice(keys["channel"], "email", "sms", "webhook")
        if fault := address_fault(address, channel):
            wrong(keys["address"], *fault)
        return Recipient("address", address, channel)
    name = choice(node, *RECIPIENTS)
    if unnamed := recipient_fault(name, event):
        wrong(node, unnamed, "name somebody whom the event names, or a role: {role: service_manager}")
    return Recipient("named", name)


def recipient_fault(name: str, event: str) -> str | None:
    """Why an event can't be told to somebody its data do not name."""
    needs = {"customer": "customer_id", "complainant": "complaint_id", "superior": "handler"}.get(name, name)
    members = members_of(event)
    if members is not None and needs not in members and not (name == "superior" and "account_manager" in members):
        return f"{event} names no {name}"
    return None


def address_fault(address: str, channel: str) -> tuple[str, str] | None:
    """What is wrong with an address for a channel, and the mend."""
    if channel == "email" and not _MAIL.match(address):
        return f"`{address}` is no e-mail address", "write name@example.com"
    if channel == "sms" and not re.fullmatch(r"\+[0-9]{6,15}", address):
        return f"`{address}` is no telephone number", "write it with its country: +8613800000000"
    if channel == "webhook" and not address.startswith("https://"):
        return f"`{address}` is no https address", "write https://…"
    return None


def _conditions(node: Node, event: str) -> dict[str, Any]:
    members = members_of(event)

    def condition(item: Node) -> Any:
        name = item.path.rsplit(".", 1)[-1]
        if members is not None and name not in members:
            wrong(item, f"{event} has no `{name}`", reading.suggestion(name, members))
        return listing(item, _word, 1) if isinstance(item.value, list) else _word(item)

    return reading.table(node, condition, least=1)


def _word(node: Node) -> Any:
    if isinstance(node.value, dict | list) or node.value is None:
        wrong(node, "one value belongs here", "write a word, a number, true or false")
        return ""
    return node.value


def _channels(node: Node) -> ChannelRules:
    keys = mapping(node, ("order", "staff", "retries", "retry_after", "retry_at_most", "keep"), clause=True)
    first, longest = reading.duration(keys["retry_after"], _SPAN), reading.duration(keys["retry_at_most"], _SPAN)
    if keys.sound and longest.exact < first.exact:
        wrong(keys["retry_at_most"], "is shorter than the first pause", f"write at least {first}")
    keep = mapping(keys["keep"], CLASSES)
    return ChannelRules(
        order=_ways(keys["order"]),
        staff=_ways(keys["staff"]),
        retries=integer(keys["retries"], 0, 20),
        retry_after=first,
        retry_at_most=longest,
        keep=_spans(keep, CLASSES),
        clause=keys.clause,
    )


def _spans(keys: Keys, names: Iterable[str]) -> dict[str, Duration]:
    return {name: reading.duration(keys[name], ("hour", "day", "week")) for name in names}
