"""Reading complaint.yaml; faults are noted, all of them."""

from __future__ import annotations

from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import choice, code, listing, mapping, share, table, text, wrong
from complaint.policy.clocks import read_clocks, read_waiting
from complaint.policy.levels import codes_among, read_levels, role
from complaint.policy.rules import (
    CHANNELS,
    Categories,
    Channels,
    Compensation,
    ComplaintPolicy,
    Escalation,
    Kpis,
    Links,
    Queue,
    Record,
    Reopening,
    Repeats,
    Reports,
    Satisfaction,
)

RECORDED = ("received_at", "complainant", "subject", "description", "category", "wanted", "value", "against")


def load(node: Node, company: Company) -> ComplaintPolicy:
    """Read complaint.yaml; faults are noted."""
    keys = mapping(
        node,
        (
            "channels",
            "record",
            "categories",
            "levels",
            "clocks",
            "waiting_for_customer",
            "escalation",
            "satisfaction",
            "compensation",
            "repeats",
            "reopening",
            "links",
            "kpis",
            "reports",
        ),
        ("queue",),
    )
    categories = _categories(keys["categories"])
    escalation = _escalation(keys["escalation"], categories, company)
    clocks = read_clocks(keys["clocks"])
    return ComplaintPolicy(
        channels=_channels(keys["channels"], company),
        record=_record(keys["record"]),
        categories=categories,
        levels=read_levels(keys["levels"], categories, escalation, company),
        clocks=clocks,
        waiting=read_waiting(keys["waiting_for_customer"], clocks),
        escalation=escalation,
        satisfaction=_satisfaction(keys["satisfaction"]),
        compensation=_compensation(keys["compensation"], company),
        repeats=_repeats(keys["repeats"]),
        queue=keys.read("queue", _queue, Queue((), keys.clause)),
        reopening=_reopening(keys["reopening"]),
        links=_links(keys["links"]),
        kpis=_kpis(keys["kpis"]),
        reports=_reports(keys["reports"]),
        company=company,
    )


def _channels(node: Node, company: Company) -> Channels:
    keys = mapping(node, ("accepted", "anonymous", "backdated_by"), clause=True)
    return Channels(
        accepted=listing(keys["accepted"], lambda item: choice(item, *CHANNELS), 1),
        anonymous=reading.boolean(keys["anonymous"]),
        backdated_by=frozenset(listing(keys["backdated_by"], lambda item: role(item, company))),
        clause=keys.clause,
    )


def _record(node: Node) -> Record:
    keys = mapping(node, ("required",), clause=True)
    return Record(listing(keys["required"], lambda item: choice(item, *RECORDED), 1), keys.clause)


def _categories(node: Node) -> Categories:
    def sorts(item: Node) -> tuple[str, ...]:
        names = listing(item, code)
        reading.unique(reading.items(item), names, "category")
        return names

    groups = tuple(node.value) if isinstance(node.value, dict) else ()
    keys = mapping(node, (), groups, clause=True)
    return Categories(table(node, sorts, code, 1), keys.clause)


def _escalation(node: Node, categories: Categories, company: Company) -> Escalation:
    keys = mapping(node, ("ladder", "unresolved_level_3", "at_night"), ("unless",), clause=True)
    ladder = listing(keys["ladder"], lambda item: role(item, company), 2)
    reading.unique(reading.items(keys["ladder"]), ladder, "role")
    top = role(keys["unresolved_level_3"], company)
    if keys.sound and top not in ladder:
        wrong(
            keys["unresolved_level_3"],
            f"`{top}` stands nowhere on the ladder",
            f"use one of: {', '.join(ladder)}, or add it to the ladder",
        )
    at_night = choice(keys["at_night"], "waits for working hours", "at once")
    unless = keys.read("unless", lambda rows: codes_among(rows, categories), frozenset[str]())
    return Escalation(ladder, top, at_night == "waits for working hours", unless, keys.clause)


def _queue(node: Node) -> Queue:
    keys = mapping(node, ("grades_first",), clause=True)
    first = listing(keys["grades_first"], code, 1)
    reading.unique(reading.items(keys["grades_first"]), first, "grade")
    return Queue(first, keys.clause)


def _satisfaction(node: Node) -> Satisfaction:
    keys = mapping(node, ("scale", "closes", "otherwise", "attempts"), clause=True)
    scale = table(keys["scale"], text, _grade, 2)
    closes = listing(keys["closes"], lambda item: reading.integer(item, 1, 10), 1)
    otherwise = mapping(keys["otherwise"], ("raise", "new_form", "top"))
    if keys.sound:
        for item, answer in zip(reading.items(keys["closes"]), closes, strict=True):
            if str(answer) not in scale:
                wrong(item, f"{answer} is not on the scale", f"use one of: {', '.join(scale)}")
        if keys.sound and len(set(closes)) == len(scale):
            wrong(keys["closes"], "every answer would close the case", "leave the dissatisfied ones out")
    return Satisfaction(
        scale={int(answer): word for answer, word in scale.items() if answer.isdigit()},
        closes=frozenset(closes),
        raise_by=reading.integer(otherwise["raise"], 0, 2),
        new_form=reading.boolean(otherwise["new_form"]),
        top=choice(otherwise["top"], "general_manager_meeting"),
        attempts=reading.integer(keys["attempts"], 1, 20),
        clause=keys.clause,
    )


def _grade(node: Node) -> str:
    if not (node.text.isascii() and node.text.isdigit() and 1 <= int(node.text) <= 10):
        wrong(node, f"`{node.text}` is no answer of a scale", "write 1, 2, 3 …, the most satisfied first")
    return node.text


def _compensation(node: Node, company: Company) -> Compensation:
    keys = mapping(node, ("points_counted_at", "summed_over"), clause=True)
    choice(keys["summed_over"], "case")
    counted = mapping(keys["points_counted_at"], ("points", "worth"))
    points = reading.amount(counted["points"], "points")
    worth = reading.money(counted["worth"], company.currency).value
    if counted.sound and (points != int(points) or points < 1):
        wrong(counted["points"], "a whole number of points, at least one", "write e.g. 100 points")
    return Compensation(max(int(points), 1), worth, keys.clause)


def _repeats(node: Node) -> Repeats:
    keys = mapping(node, ("same_matter_within", "recurrence_compared_over"), clause=True)
    within, recurrence = reading.span(keys["same_matter_within"]), reading.span(keys["recurrence_compared_over"])
    return Repeats(within, recurrence, keys.clause)


def _reopening(node: Node) -> Reopening:
    keys = mapping(node, ("within",), clause=True)
    return Reopening(reading.span(keys["within"]), keys.clause)


def _links(node: Node) -> Links:
    keys = mapping(node, ("follow", "answer"), clause=True)
    return Links(reading.span(keys["follow"]), reading.span(keys["answer"]), keys.clause)


def _kpis(node: Node) -> Kpis:
    keys = mapping(node, ("first_contact_on_time", "callback_rate", "satisfaction"), clause=True)

    def target(key: str) -> Decimal:
        return share(keys[key])

    return Kpis(target("first_contact_on_time"), target("callback_rate"), target("satisfaction"), keys.clause)


def _reports(node: Node) -> Reports:
    keys = mapping(node, ("rhythm", "least_group"), clause=True)
    rhythm = listing(keys["rhythm"], lambda item: choice(item, "weekly", "monthly"), 1)
    return Reports(rhythm, reading.integer(keys["least_group"], 1, 100), keys.clause)
