"""Strict reading of a pack: every helper takes a node, notes what is wrong with its mend, and returns a value.

After a fault the value is a harmless placeholder, so that one pass finds every fault of a file. Checks of sense
(bands overlap, quotas above 100 %) belong behind ``keys.sound``: they judge only what was read without fault.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import date, time
from decimal import Decimal
from typing import TypeVar

from chassis.policies.document import Node
from chassis.policies.problems import note, noted
from chassis.policies.units import (
    UNITS,
    Amount,
    Duration,
    parse_amount,
    parse_duration,
    parse_share,
)

T = TypeVar("T")

MARKS = ("clause", "ours", "note")  # every rule may say where it comes from, what is our choice, and why
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}(\.[a-z][a-z0-9_]{0,59})*\Z")
TEMPLATE = re.compile(r"(\{[a-z_]+\}|[A-Z0-9-])+")
_CLAUSE = re.compile(r"\S(.{0,78}\S)?\Z")


@dataclass(frozen=True)
class Keys:
    """The content of one mapping after its keys were checked."""

    node: Node
    content: dict[str, Node]
    clause: str
    _before: int

    def __getitem__(self, key: str) -> Node:
        """A required key; when it was left out, a node that reads as a placeholder without a second fault."""
        return self.content.get(key) or Node(None, "", self.node.place, f"{self.node.path}.{key}", absent=True)

    def get(self, key: str) -> Node | None:
        """An optional key."""
        return self.content.get(key)

    def read(self, key: str, reader: Callable[[Node], T], default: T) -> T:
        """An optional key through its reader."""
        node = self.content.get(key)
        return default if node is None else reader(node)

    def __contains__(self, key: str) -> bool:
        return key in self.content

    @property
    def sound(self) -> bool:
        """Nothing was noted since this mapping was opened: its values may be judged together."""
        return noted() == self._before


def wrong(node: Node, message: str, mend: str) -> None:
    """Note a fault at a node, unless it stands for a key whose absence is already noted."""
    if not node.absent:
        note(node.place, f"{node.path}: {message}" if node.path else message, mend)


def suggestion(word: str, known: Iterable[str]) -> str:
    """The nearest known word, as a mend; else the whole list."""
    known = list(known)
    near = difflib.get_close_matches(word, known, n=1, cutoff=0.6)
    if near:
        return f"did you mean `{near[0]}`?"
    return f"use one of: {', '.join(sorted(known))}" if known else "delete it"


def mapping(
    node: Node,
    required: Iterable[str] = (),
    optional: Iterable[str] = (),
    *,
    clause: bool = False,
    marks: bool = True,
) -> Keys:
    """The keys of a mapping. Unknown and missing ones are noted; ``clause=True`` demands `clause:` beside the rule."""
    before = noted()
    required, optional = tuple(required), tuple(optional)
    if not isinstance(node.value, dict):
        example = ", ".join(f"{key}: …" for key in (required or optional)[:2])
        wrong(node, f"a mapping belongs here, not {_shown(node)}", f"write {{{example}}}")
        return Keys(node, {}, "", before)
    known = (*required, *optional, *(MARKS if marks else ()))
    for key in node.value:
        if key not in known:
            note(
                node.key_places[key],
                f"{node.path + '.' if node.path else ''}{key}: unknown key",
                suggestion(key, known),
            )
    for key in required:
        if key not in node.value:
            wrong(node, f"`{key}` is missing", f"add `{key}: …`")
    return Keys(node, dict(node.value), _marks(node, clause) if marks else "", before)


def _marks(node: Node, demanded: bool) -> str:
    """`clause`, `ours` and `note` of a rule; returns the clause."""
    assert isinstance(node.value, dict)  # noqa: S101 - mapping() has looked
    said = node.value.get("clause")
    if said is None and demanded:
        wrong(node, "the rule names no clause", "add `clause: CG-01` (the article it rests on)")
    if (choices := node.value.get("ours")) is not None:
        ours(node, choices)
    if (remark := node.value.get("note")) is not None:
        text(remark)
    return clause(said) if said is not None else ""


def ours(node: Node, said: Node) -> None:
    """`ours: true` for the whole rule, or the list of keys whose numbers are our choice."""
    if said.value is True:
        return
    if not isinstance(said.value, list) or not said.value:
        wrong(
            said,
            f"`ours` is true or a list of keys of this rule, not {_shown(said)}",
            "write `ours: [key, key]`",
        )
        return
    within = {key for child in node.walk() if isinstance(child.value, dict) for key in child.value} - set(MARKS)
    within |= {_identity(child) for child in node.walk()} - {""}
    for item in said.value:
        if item.text not in within:
            wrong(item, f"`{item.text}` stands nowhere in this rule", suggestion(item.text, within))


def _identity(node: Node) -> str:
    """The name an item of a list goes by: its first key's plain value."""
    if isinstance(node.value, dict) and node.value:
        first = next(iter(node.value.values()))
        return first.text
    return ""


def clause(node: Node) -> str:
    """The article a rule rests on: a rule id (`CG-09`) or the company's own number; a list when it rests on several."""
    if isinstance(node.value, list):
        return ", ".join(clause(item) for item in node.value)
    if isinstance(node.value, dict) or not _CLAUSE.match(node.text):
        wrong(node, "a clause is the number of an article", "write `clause: CG-09`")
        return ""
    return node.text


def text(node: Node, most: int = 500) -> str:
    """One line or paragraph."""
    if not isinstance(node.value, str) or not node.value.strip():
        wrong(
            node,
            f"a text belongs here, not {_shown(node)}",
            'write the words, in quotes if they look like a number: "2.0"',
        )
        return ""
    if len(node.value) > most:
        wrong(node, f"longer than {most} characters", "shorten it")
    return node.value.strip()


def code(node: Node) -> str:
    """A name that programs use: lower-case words joined by underscores, parts by dots."""
    if not isinstance(node.value, str) or not _CODE.match(node.value):
        wrong(
            node,
            f"a code belongs here, not {_shown(node)}",
            "use lower-case letters, digits and _: `gold`, `service.attitude`",
        )
        return "placeholder"
    return node.value


def boolean(node: Node) -> bool:
    """true or false."""
    if not isinstance(node.value, bool):
        wrong(node, f"true or false belongs here, not {_shown(node)}", "write true or false")
        return False
    return node.value


def integer(node: Node, least: int = 0, most: int = 10**12) -> int:
    """A whole number within bounds."""
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        wrong(node, f"a whole number belongs here, not {_shown(node)}", "write digits only, e.g. 12")
        return max(least, 1)
    if not least <= node.value <= most:
        wrong(node, f"{node.value} is not between {least} and {most}", f"write a number from {least} to {most}")
        return max(least, 1)
    return node.value


def number(node: Node, least: Decimal | int = 0, most: Decimal | int = 10**12) -> Decimal:
    """A number, exact as written."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | Decimal):
        wrong(node, f"a number belongs here, not {_shown(node)}", "write e.g. 12 or 12.5")
        return Decimal(1)
    if not least <= node.value <= most:
        wrong(node, f"{node.value} is not between {least} and {most}", f"write a number from {least} to {most}")
        return Decimal(1)
    return Decimal(node.value)


def share(node: Node, most: Decimal | int = 1) -> Decimal:
    """`15%` → Decimal('0.15'); ``most`` is the largest allowed fraction (1 = 100 %)."""
    parsed = parse_share(node.text) if isinstance(node.value, str) else None
    if parsed is None:
        wrong(node, f"a share belongs here, not {_shown(node)}", "write a per cent sign: 15%")
        return Decimal(0)
    if parsed > most:
        wrong(
            node,
            f"{node.text} is more than {_percent(most)}",
            f"write at most {_percent(most)}; is a decimal point missing?",
        )
        return Decimal(0)
    return parsed


def _percent(fraction: Decimal | int) -> str:
    return f"{(Decimal(fraction) * 100).normalize():f}%"


def duration(node: Node, units: Iterable[str] = UNITS) -> Duration:
    """`1 working day`, `24 hours`, `7 days`, `6 months`; ``units`` restricts what makes sense here."""
    parsed = parse_duration(node.text) if isinstance(node.value, str) else None
    allowed = tuple(units)
    if parsed is None:
        wrong(
            node,
            f"a duration belongs here, not {_shown(node)}",
            f"write a number and one of {', '.join(allowed)}: `1 {allowed[-1]}`, `7 {allowed[0]}s`",
        )
        return Duration(1, allowed[0])
    if parsed.unit not in allowed:
        wrong(
            node,
            f"`{node.text}` cannot be counted in {parsed.unit}s here",
            f"use one of {', '.join(allowed)}",
        )
        return Duration(1, allowed[0])
    return parsed


CALENDAR = ("day", "week", "month", "year")


def span(node: Node) -> Duration:
    """A duration in days, weeks, months or years."""
    return duration(node, CALENDAR)


def amount(node: Node, unit: str) -> Decimal:
    """A number with its unit, `5000 growth`; a bare number is refused, so that nobody mixes points and money."""
    parsed: Amount | None = parse_amount(node.text) if isinstance(node.value, str) else None
    if parsed is None or parsed.unit != unit:
        wrong(
            node,
            f"an amount in {unit} belongs here, not {_shown(node)}",
            f"write the number and its unit: 1000 {unit}",
        )
        return Decimal(1)
    return parsed.value


def money(node: Node, currency: str | None = None) -> Amount:
    """`2000 CNY`; with ``currency`` only that one."""
    parsed = parse_amount(node.text) if isinstance(node.value, str) else None
    example = currency or "CNY"
    if parsed is None or not re.fullmatch("[A-Z]{3}", parsed.unit):
        wrong(
            node,
            f"an amount of money belongs here, not {_shown(node)}",
            f"write the number and the currency: 2000 {example}",
        )
        return Amount(Decimal(1), example)
    if currency and parsed.unit != currency:
        wrong(node, f"{parsed.unit} is not the company's currency", f"write the amount in {currency}")
        return Amount(Decimal(1), currency)
    return parsed


def choice(node: Node, *known: str) -> str:
    """One of a closed list of words."""
    said = node.text if isinstance(node.value, str) else ""
    if said not in known:
        wrong(node, f"{_shown(node)} is not known here", suggestion(node.text, known))
        return known[0]
    return said


def listing(node: Node, item: Callable[[Node], T], least: int = 0) -> tuple[T, ...]:
    """A list, each item through its reader."""
    if not isinstance(node.value, list):
        wrong(
            node,
            f"a list belongs here, not {_shown(node)}",
            "write [one, two] or one item per line after a dash",
        )
        return ()
    if len(node.value) < least:
        wrong(node, f"at least {least} item{'s' if least > 1 else ''} needed", "add what is missing")
    return tuple(item(child) for child in node.value)


def table(
    node: Node, value: Callable[[Node], T], key: Callable[[Node], str] | None = None, least: int = 0
) -> dict[str, T]:
    """A mapping with free keys, each value through its reader; marks are left aside. ``key`` checks the names."""
    if not isinstance(node.value, dict):
        wrong(node, f"a mapping belongs here, not {_shown(node)}", "write `name: value`, one per line")
        return {}
    rows = {name: child for name, child in node.value.items() if name not in MARKS}
    _marks(node, False)
    if len(rows) < least:
        wrong(node, f"at least {least} entr{'ies' if least > 1 else 'y'} needed", "add what is missing")
    if key is not None:
        for name in rows:
            key(Node(name, name, node.key_places[name], f"{node.path}.{name}"))
    return {name: value(child) for name, child in rows.items()}


def day(node: Node) -> date:
    """A date, `2027-01-01`."""
    try:
        return date.fromisoformat(node.text if re.fullmatch(r"\d{4}-\d{2}-\d{2}", node.text) else "")
    except ValueError:
        wrong(node, f"a date belongs here, not {_shown(node)}", "write year-month-day: 2027-01-01")
        return date(2000, 1, 1)


def time_of_day(node: Node) -> time:
    """`09:00`; `24:00` is not written, a day ends at 23:59."""
    try:
        return time.fromisoformat(node.text if re.fullmatch(r"\d{2}:\d{2}", node.text) else "")
    except ValueError:
        wrong(node, f"a time of day belongs here, not {_shown(node)}", 'write hours and minutes: "09:00"')
        return time(0, 0)


def unique(nodes: Iterable[Node], names: Iterable[str], what: str) -> None:
    """Each name once; a second one is noted where it stands."""
    seen: set[str] = set()
    for node, name in zip(nodes, names, strict=True):
        if name in seen:
            wrong(node, f"the {what} `{name}` is there twice", "keep one of them")
        seen.add(name)


def items(node: Node) -> Iterator[Node]:
    """The children of a list node, none when it is not a list."""
    return iter(node.value if isinstance(node.value, list) else ())


def _shown(node: Node) -> str:
    """A value as an author recognises it."""
    if isinstance(node.value, dict | list):
        return f"a {node.kind}"
    if node.value is None:
        return "nothing"
    return f"`{node.text if len(node.text) <= 60 else node.text[:57] + '...'}`"


def unless(node: Node, word: str, reader: Callable[[Node], T]) -> T | None:
    """None when the node says ``word`` (`none`, `never`, `unlimited`), else through the reader."""
    return None if node.value == word else reader(node)
