"""What every CDNOW customer must have earned, computed from the file by ``defaults.md`` and nothing of our code.

Purchases of one customer count in the order of the file. Amounts are exact decimals; a day is noon UTC of its
shifted date.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from math import floor
from pathlib import Path

TIERS = (
    ("ordinary", 0, Decimal(0)),
    ("gold", 1_000, Decimal("0.10")),
    ("platinum", 5_000, Decimal("0.20")),
    ("diamond", 20_000, Decimal("0.40")),
)
YEAR = timedelta(days=365)


@dataclass
class Account:
    """One customer's purchases so far."""

    points: int = 0
    growth: list[tuple[datetime, int]] = field(default_factory=list)
    risen_to: int = 0
    kept_until: datetime | None = None
    birthday_months: set[tuple[int, int]] = field(default_factory=set)


def reached(growth: int) -> int:
    """The index of the highest tier that this growth reaches."""
    return max(index for index, (_, threshold, _) in enumerate(TIERS) if growth >= threshold)


def earn(account: Account, at: datetime, total: Decimal, birthday_month: int | None = None) -> int:
    """Add one purchase; answers its points."""
    before = reached(sum(value for when, value in account.growth if at - YEAR <= when < at))
    if account.kept_until is not None and at < account.kept_until:
        before = max(before, account.risen_to)
    base = floor(total) if total > 0 else 0
    bonus = floor(base * TIERS[before][2])
    shanghai = at + timedelta(hours=8)
    extra = 0
    if birthday_month == shanghai.month and (shanghai.year, shanghai.month) not in account.birthday_months:
        extra = base
        account.birthday_months.add((shanghai.year, shanghai.month))
    account.growth.append((at, base))
    after = reached(sum(value for when, value in account.growth if at - YEAR < when <= at))
    if after > before:
        account.risen_to, account.kept_until = after, at + YEAR
    account.points += base + bonus + extra
    return base + bonus + extra


def read_purchases(path: Path, last_day: datetime) -> list[tuple[str, datetime, Decimal]]:
    """(card, moment, total) of every row, shifted so that the last day is ``last_day``'s date."""
    with path.open(newline="") as handle:
        rows = [
            (row["id"], datetime.strptime(row["date"], "%Y%m%d").replace(tzinfo=UTC), Decimal(row["spent"]))
            for row in csv.DictReader(handle)
        ]
    shift = last_day.date() - max(day for _, day, _ in rows).date()
    return [(card, (day + shift).replace(hour=12), spent) for card, day, spent in rows]


def points_of_all(path: Path, last_day: datetime, birthdays: dict[str, int] | None = None) -> dict[str, int]:
    """Card → points of all its purchases. ``birthdays`` maps cards to months."""
    accounts: dict[str, Account] = defaultdict(Account)
    for card, at, total in read_purchases(path, last_day):
        earn(accounts[card], at, total, (birthdays or {}).get(card))
    return {card: account.points for card, account in accounts.items()}
