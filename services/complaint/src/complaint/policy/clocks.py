"""Reading the clocks: the kinds of the house have their own course, others say which action starts and stops them."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

from chassis.policies import reading
from chassis.policies.document import Node
from chassis.policies.reading import Keys, choice, code, listing, mapping, wrong
from chassis.policies.units import Duration
from complaint.policy.rules import CHANNELS, LEVELS, TYPES, ClockRule, Waiting

NEEDED = ("first_contact", "answer", "progress", "resolution", "promise", "callback", "approval")
ACTIONS = (
    "receive", "acknowledge", "contact", "triage", "assign", "investigate", "propose", "approve", "resolve",
    "callback", "progress", "resume", "withdraw", "unfounded", "close",
)  # fmt: skip
UNITS = ("minute", "hour", "day", "week", "working day", "working hour")
GIVEN_BY_HAND = "promise"


def read_clocks(node: Node) -> dict[str, ClockRule]:
    """Every kind the house needs, and the company's own."""
    rules = reading.table(node, _rule, code, 1)
    for kind in NEEDED if rules else ():
        if kind not in rules:
            wrong(node, f"the clock `{kind}` is missing", f"add `{kind}: {{within: …, warn_at: 75%, clause: …}}`")
    return rules


def read_waiting(node: Node, clocks: Mapping[str, ClockRule]) -> Waiting:
    """Which clocks stand still while the customer is waited for."""
    keys = mapping(node, ("pauses",), clause=True)
    return Waiting(frozenset(listing(keys["pauses"], lambda item: choice(item, *(clocks or NEEDED)))), keys.clause)


def _rule(node: Node) -> ClockRule:
    kind = node.path.rsplit(".", 1)[-1]
    if kind == GIVEN_BY_HAND:
        keys = mapping(node, ("warn_at", "extended_by"), ("escalates",), clause=True)
        choice(keys["extended_by"], "new promise with reason")
        return ClockRule(kind, {}, False, None, _warning(keys), keys.clause, escalates=_escalates(keys))
    own = ("starts", "stops") if kind not in NEEDED else ()
    keys = mapping(node, ("warn_at", *own), ("within", "every", "after", "escalates", "types", "channels"), clause=True)
    if ("within" in keys) == ("every" in keys):
        wrong(node, "a clock says `within` or `every`, one of them", "write e.g. `within: 1 working day`")
    times = keys.get("within") or keys.get("every")
    after = keys.read("after", lambda item: choice(item, "resolved"), None)
    if kind == "callback" and after is None:
        wrong(node, "a call-back has no beginning", "add `after: resolved`")
    if kind != "callback" and after is not None:
        wrong(keys["after"], f"`{kind}` does not begin with a state", "delete it")
    return ClockRule(
        kind=kind,
        within=_by_level(times) if times else dict.fromkeys(LEVELS, Duration(1, "day")),
        recurring="every" in keys,
        after=after,
        warn_at=_warning(keys),
        clause=keys.clause,
        starts=_actions(keys["starts"]) if own else (),
        stops=_actions(keys["stops"]) if own else (),
        types=frozenset(keys.read("types", lambda rows: listing(rows, lambda item: choice(item, *TYPES), 1), ())),
        channels=frozenset(
            keys.read("channels", lambda rows: listing(rows, lambda item: choice(item, *CHANNELS), 1), ())
        ),
        escalates=_escalates(keys),
    )


def _by_level(node: Node) -> dict[int, Duration]:
    """One time for all levels, or one for each."""
    if not isinstance(node.value, dict):
        return dict.fromkeys(LEVELS, reading.duration(node, UNITS))
    keys = mapping(node, tuple(str(level) for level in LEVELS), marks=False)
    return {level: reading.duration(keys[str(level)], UNITS) for level in LEVELS}


def _warning(keys: Keys) -> Decimal:
    part = reading.share(keys["warn_at"])
    if keys.sound and not 0 < part < 1:
        wrong(keys["warn_at"], "a warning comes before the end and after the beginning", "write e.g. 75%")
    return part


def _escalates(keys: Keys) -> bool:
    return keys.read("escalates", reading.boolean, True)


def _actions(node: Node) -> tuple[str, ...]:
    return listing(node, lambda item: choice(item, *ACTIONS), 1)
