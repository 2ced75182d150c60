"""Reading who handles what at which level: every level once, each reachable, every role and category known."""

from __future__ import annotations

from collections.abc import Callable

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import choice, code, listing, mapping, wrong
from complaint.policy.rules import CHANNELS, LEVELS, Categories, Condition, Escalation, LevelRule

OR_ABOVE = " or above"
ASKS = ("category", "channel", "value_from", "against", "insists", "repeats_within")


def role(node: Node, company: Company) -> str:
    """A role that the company knows."""
    name = code(node)
    if not node.absent and name not in company.roles:
        wrong(node, f"`{node.text}` is no role of this company", reading.suggestion(node.text, company.roles))
    return name


def codes_among(node: Node, categories: Categories) -> frozenset[str]:
    """Groups and codes of the pack's own categories: one, or a list."""
    known = {*categories.groups, *categories.codes}

    def one(item: Node) -> str:
        if item.text not in known:
            wrong(item, f"`{item.text}` is no category of this pack", reading.suggestion(item.text, known))
        return item.text

    return frozenset(_one_or_many(node, one))


def read_levels(node: Node, categories: Categories, escalation: Escalation, company: Company) -> tuple[LevelRule, ...]:
    rules = listing(node, lambda item: _level(item, categories, escalation, company), 1)
    nodes = list(reading.items(node))
    reading.unique(nodes, [str(rule.level) for rule in rules], "level")
    for level in LEVELS:
        if rules and level not in {rule.level for rule in rules}:
            wrong(node, f"level {level} is missing", f"add `- level: {level}` with its handler")
    for item, rule in zip(nodes, rules, strict=True):
        if rule.level == min(LEVELS) and rule.conditions:
            wrong(item, "a case that meets no condition would have no level", "let level 1 stand without `when`")
        elif rule.level != min(LEVELS) and not rule.conditions:
            wrong(item, f"every case would be of level {rule.level}", "say `when`: a list of conditions")
    return tuple(sorted(rules, key=lambda rule: -rule.level))


def _level(node: Node, categories: Categories, escalation: Escalation, company: Company) -> LevelRule:
    keys = mapping(node, ("level", "handler"), ("when",), clause=True)
    handler = role(keys["handler"], company)
    if keys.sound and handler not in escalation.ladder:
        wrong(
            keys["handler"],
            f"`{handler}` stands nowhere on the escalation ladder",
            reading.suggestion(handler, escalation.ladder),
        )
    conditions = keys.read(
        "when", lambda rows: listing(rows, lambda item: _condition(item, categories, escalation, company), 1), ()
    )
    return LevelRule(reading.integer(keys["level"], min(LEVELS), max(LEVELS)), handler, conditions, keys.clause)


def _condition(node: Node, categories: Categories, escalation: Escalation, company: Company) -> Condition:
    keys = mapping(node, (), ASKS)
    if keys.sound and not any(name in keys for name in ASKS):
        wrong(node, "the condition asks for nothing", f"name one of: {', '.join(ASKS)}")
    if (insists := keys.get("insists")) is not None:
        choice(insists, "on a superior")
    return Condition(
        categories=keys.read("category", lambda rows: codes_among(rows, categories), frozenset()),
        channels=frozenset(
            keys.read("channel", lambda rows: _one_or_many(rows, lambda item: choice(item, *CHANNELS)), ())
        ),
        value_from=keys.read("value_from", lambda item: reading.money(item, company.currency).value, None),
        against_roles=keys.read("against", lambda item: _ranks(item, escalation, company), frozenset()),
        insists=insists is not None,
        repeats_within=keys.read("repeats_within", reading.span, None),
    )


def _ranks(node: Node, escalation: Escalation, company: Company) -> frozenset[str]:
    """`supervisor or above`: that role and those above it; off the ladder, every role above its foot counts as such."""
    said = node.text
    name = said.removesuffix(OR_ABOVE)
    if name not in company.roles:
        wrong(node, f"`{name}` is no role of this company", reading.suggestion(name, company.roles))
        return frozenset()
    if name == said:
        return frozenset({name})
    ladder = escalation.ladder
    return frozenset({name, *(ladder[ladder.index(name) :] if name in ladder else ladder[1:])})


def _one_or_many(node: Node, item: Callable[[Node], str]) -> tuple[str, ...]:
    return listing(node, item, 1) if isinstance(node.value, list) else (item(node),)
