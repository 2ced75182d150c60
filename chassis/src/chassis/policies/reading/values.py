"""Single values: words, numbers, shares, durations, money, dates. A fault yields a harmless placeholder."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from datetime import date, time
from decimal import Decimal
from typing import TypeVar

from chassis.policies.document import Node
from chassis.policies.reading.faults import shown, suggestion, wrong
from chassis.policies.units import UNITS, Amount, Duration, parse_amount, parse_duration, parse_share

T = TypeVar("T")

CALENDAR = ("day", "week", "month", "year")
_CODE = re.compile(r"[a-z][a-z0-9_]{0,59}(\.[a-z][a-z0-9_]{0,59})*\Z")


def text(node: Node, most: int = 500) -> str:
    """One line or paragraph."""
    if not isinstance(node.value, str) or not node.value.strip():
        wrong(
            node,
            f"a text belongs here, not {shown(node)}",
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
            f"a code belongs here, not {shown(node)}",
            "use lower-case letters, digits and _: `gold`, `service.attitude`",
        )
        return "placeholder"
    return node.value


def boolean(node: Node) -> bool:
    """true or false."""
    if not isinstance(node.value, bool):
        wrong(node, f"true or false belongs here, not {shown(node)}", "write true or false")
        return False
    return node.value


def integer(node: Node, least: int = 0, most: int = 10**12) -> int:
    """A whole number within bounds."""
    if isinstance(node.value, bool) or not isinstance(node.value, int):
        wrong(node, f"a whole number belongs here, not {shown(node)}", "write digits only, e.g. 12")
        return max(least, 1)
    if not least <= node.value <= most:
        wrong(node, f"{node.value} is not between {least} and {most}", f"write a number from {least} to {most}")
        return max(least, 1)
    return node.value


def number(node: Node, least: Decimal | int = 0, most: Decimal | int = 10**12) -> Decimal:
    """A number, exact as written."""
    if isinstance(node.value, bool) or not isinstance(node.value, int | Decimal):
        wrong(node, f"a number belongs here, not {shown(node)}", "write e.g. 12 or 12.5")
        return Decimal(1)
    if not least <= node.value <= most:
        wrong(node, f"{node.value} is not between {least} and {most}", f"write a number from {least} to {most}")
        return Decimal(1)
    return Decimal(node.value)


def share(node: Node, most: Decimal | int = 1) -> Decimal:
    """`15%` → Decimal('0.15'); ``most`` is the largest allowed fraction (1 = 100 %)."""
    parsed = parse_share(node.text) if isinstance(node.value, str) else None
    if parsed is None:
        wrong(node, f"a share belongs here, not {shown(node)}", "write a per cent sign: 15%")
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
            f"a duration belongs here, not {shown(node)}",
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


def span(node: Node) -> Duration:
    """A duration in days, weeks, months or years."""
    return duration(node, CALENDAR)


def amount(node: Node, unit: str) -> Decimal:
    """A number with its unit, `5000 growth`; a bare number is refused, so that nobody mixes points and money."""
    parsed: Amount | None = parse_amount(node.text) if isinstance(node.value, str) else None
    if parsed is None or parsed.unit != unit:
        wrong(
            node,
            f"an amount in {unit} belongs here, not {shown(node)}",
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
            f"an amount of money belongs here, not {shown(node)}",
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
        wrong(node, f"{shown(node)} is not known here", suggestion(node.text, known))
        return known[0]
    return said


def day(node: Node) -> date:
    """A date, `2027-01-01`."""
    try:
        return date.fromisoformat(node.text if re.fullmatch(r"\d{4}-\d{2}-\d{2}", node.text) else "")
    except ValueError:
        wrong(node, f"a date belongs here, not {shown(node)}", "write year-month-day: 2027-01-01")
        return date(2000, 1, 1)


def time_of_day(node: Node) -> time:
    """`09:00`; `24:00` is not written, a day ends at 23:59."""
    try:
        return time.fromisoformat(node.text if re.fullmatch(r"\d{2}:\d{2}", node.text) else "")
    except ValueError:
        wrong(node, f"a time of day belongs here, not {shown(node)}", 'write hours and minutes: "09:00"')
        return time(0, 0)


def unless(node: Node, word: str, reader: Callable[[Node], T]) -> T | None:
    """None when the node says ``word`` (`none`, `never`, `unlimited`), else through the reader."""
    return None if node.value == word else reader(node)
