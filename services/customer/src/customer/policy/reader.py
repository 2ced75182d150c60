"""Reading customer.yaml; faults are noted, all of them."""

from __future__ import annotations

from collections.abc import Set
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import (
    choice,
    code,
    integer,
    listing,
    mapping,
    number,
    share,
    table,
    text,
    unless,
    wrong,
)
from chassis.policies.vocabulary.expression import read_expression
from customer.policy.rules import (
    Blacklist,
    Cleaning,
    CustomerPolicy,
    Duplicates,
    EveryDay,
    Facts,
    Insight,
    Kind,
    OddAmounts,
    Retention,
    Sanity,
    Surveys,
    Visits,
    Window,
)
from customer.policy.segments import CADENCES, read_grades, read_scheme

KINDS = ("individual", "enterprise", "institution")


def load(node: Node, company: Company) -> CustomerPolicy:
    """Read customer.yaml; faults are noted."""
    keys = mapping(
        node,
        (
            "kinds",
            "facts",
            "window",
            "classifications",
            "grades",
            "blacklist",
            "insight",
            "duplicates",
            "retention",
            "sanity",
        ),
        ("service_plans", "visits", "surveys", "cleaning"),
    )
    sanity = _sanity(keys["sanity"], company)
    window = _window(keys["window"], sanity)
    schemes = table(keys["classifications"], lambda item: read_scheme(item, company, window, sanity), code)
    grades = table(keys["grades"], lambda item: read_grades(item, sanity), code, 1)
    held = frozenset(level.name for scheme in grades.values() for level in scheme.levels)
    classes = frozenset(name for scheme in schemes.values() for name in scheme.classes())
    judged = keys.sound  # against names that could not be read, every name would look wrong
    return CustomerPolicy(
        kinds=_kinds(keys["kinds"]),
        facts=_facts(keys["facts"]),
        window=window,
        classifications=schemes,
        grades=grades,
        service_plans=keys.read("service_plans", _plans, {}),
        blacklist=_blacklist(keys["blacklist"], held if judged else None),
        visits=keys.read("visits", lambda item: _visits(item, held | classes if judged else None), None),
        surveys=keys.read("surveys", _surveys, None),
        cleaning=keys.read("cleaning", _cleaning, Cleaning(None, None)),
        insight=_insight(keys["insight"]),
        duplicates=_duplicates(keys["duplicates"]),
        retention=_retention(keys["retention"]),
        company=company,
    )


def _sanity(node: Node, company: Company) -> Sanity:
    keys = mapping(node, ("longest_window", "largest_band", "largest_score"))
    read = Sanity(
        reading.span(keys["longest_window"]).days,
        reading.money(keys["largest_band"], company.currency).value,
        number(keys["largest_score"], 1),
    )
    return read if keys.sound else Sanity(10**6, Decimal(10**12), Decimal(10**12))


def _kinds(node: Node) -> dict[str, Kind]:
    keys = mapping(node, (), KINDS, clause=True)

    def kind(name: str, item: Node) -> Kind:
        inner = mapping(item, ("title", "required"))
        titles = {
            language: text(words)
            for language, words in mapping(inner["title"], ("zh", "en"), marks=False).content.items()
        }
        return Kind(name, titles, listing(inner["required"], code), inner.clause or keys.clause)

    return {name: kind(name, keys[name]) for name in KINDS if name in keys}


def _facts(node: Node) -> Facts:
    keys = mapping(node, ("collected_by", "stale_after"), clause=True)
    return Facts(listing(keys["collected_by"], code, 1), reading.span(keys["stale_after"]), keys.clause)


def _window(node: Node, sanity: Sanity) -> Window:
    keys = mapping(node, ("span", "until"), ("net_of", "leave_out"), clause=True)
    span = reading.span(keys["span"])
    if span.days > sanity.longest_window:
        wrong(
            keys["span"],
            f"a window of {span} is above the pack's own sanity cap of {sanity.longest_window} days",
            "write e.g. 365 days, or raise sanity.longest_window",
        )
    choice(keys["until"], "the day before")
    net = keys.read("net_of", lambda rows: listing(rows, lambda item: choice(item, "refunds")), ())
    out = keys.read("leave_out", lambda rows: listing(rows, lambda item: choice(item, "flagged customers")), ())
    return Window(span, "refunds" in net, "flagged customers" in out, keys.clause)


def _plans(node: Node) -> dict[str, dict[str, tuple[str, ...]]]:
    return table(node, lambda scheme: table(scheme, lambda plan: listing(plan, code, 1), code), code)


def _known(node: Node, name: str, known: Set[str] | None, what: str) -> None:
    if known is not None and name not in known:
        wrong(node, f"`{name}` is none of the {what} of this pack", reading.suggestion(name, known))


def _blacklist(node: Node, grades: Set[str] | None) -> Blacklist:
    keys = mapping(node, ("valid_for", "reentry_grade", "approval"), clause=True)
    scopes = mapping(keys["valid_for"], ("unit", "company"))
    valid = {scope: unless(scopes[scope], "until lifted", reading.span) for scope in ("unit", "company")}
    two = choice(keys["approval"], "two persons", "one person") == "two persons"
    grade = code(keys["reentry_grade"])
    _known(keys["reentry_grade"], grade, grades, "grades")
    return Blacklist(valid, grade, two, keys.clause)


def _visits(node: Node, known: Set[str] | None) -> Visits:
    keys = mapping(node, ("frequency",), ("after_complaint",), clause=True)

    def of(item: Node) -> str:
        _known(item, item.path.rsplit(".", 1)[-1], known, "grades and classes")
        return choice(item, *CADENCES)

    frequency = table(keys["frequency"], of, code)
    return Visits(frequency, keys.read("after_complaint", reading.duration, None), keys.clause)


def _surveys(node: Node) -> Surveys:
    keys = mapping(node, ("a_year", "sample", "strata", "methods"), clause=True)
    strata = listing(keys["strata"], lambda item: choice(item, "kind", "grade", "unit", "class", "tier"), 1)
    return Surveys(
        integer(keys["a_year"], 1, 52),
        share(keys["sample"]),
        strata,
        listing(keys["methods"], code, 1),
        keys.clause,
    )


def _cleaning(node: Node) -> Cleaning:
    keys = mapping(node, (), ("every_day", "odd_amounts"))
    return Cleaning(keys.read("every_day", _every_day, None), keys.read("odd_amounts", _odd_amounts, None))


def _every_day(node: Node) -> EveryDay:
    keys = mapping(node, ("at_least", "of_last"), clause=True)
    at_least, of_last = (
        reading.duration(keys["at_least"], ("day",)).days,
        reading.duration(keys["of_last"], ("day",)).days,
    )
    if keys.sound and at_least > of_last:
        wrong(keys["at_least"], f"there are only {of_last} days to buy on", f"write at most {of_last} days")
    return EveryDay(at_least, of_last, keys.clause)


def _odd_amounts(node: Node) -> OddAmounts:
    keys = mapping(node, ("purchases", "measure", "robust_z"), clause=True)
    choice(keys["measure"], "median_amount")
    return OddAmounts(integer(keys["purchases"], 1), number(keys["robust_z"], 1), keys.clause)


def _insight(node: Node) -> Insight:
    keys = mapping(node, ("churned_after", "repeat", "rfm"), clause=True)
    repeat, rfm = mapping(keys["repeat"], ("purchase_days",)), mapping(keys["rfm"], ("groups",))
    return Insight(
        read_expression(keys["churned_after"]),
        integer(repeat["purchase_days"], 2, 366),
        integer(rfm["groups"], 2, 10),
        keys.clause,
    )


def _duplicates(node: Node) -> Duplicates:
    keys = mapping(node, ("refuse_above", "review_above"), clause=True)
    refuse, review = share(keys["refuse_above"]), share(keys["review_above"])
    if keys.sound and review > refuse:
        wrong(
            keys["review_above"],
            "nothing would ever be reviewed: it is refused before",
            "let review_above be the smaller",
        )
    return Duplicates(refuse, review, keys.clause)


def _retention(node: Node) -> Retention:
    keys = mapping(node, ("history", "unmerge_within"), clause=True)
    return Retention(
        unless(keys["history"], "for ever", reading.span), reading.span(keys["unmerge_within"]), keys.clause
    )
