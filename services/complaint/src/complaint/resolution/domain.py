"""Who may grant what: compensation valued, summed over the case, and held against the limits of the roles (ML-02)."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal

# What becomes of a proposal: ``open`` needs nobody's approval.
NEEDS_APPROVAL, OPEN, APPROVED = "needs_approval", "open", "approved"
SUPERSEDED, CARRIED_OUT = "superseded", "carried_out"


@dataclass(frozen=True, slots=True)
class Grant:
    """Points or money, and what they are worth in the company's currency. ``nothing`` is a proposal of words alone."""

    points: int
    amount: Decimal | None
    currency: str | None
    value: Decimal

    @property
    def nothing(self) -> bool:
        return self.points == 0 and self.amount is None


NOTHING = Grant(0, None, None, Decimal(0))


def points_granted(points: int, counted: int, worth: Decimal) -> Grant:
    """Points, counted at ``worth`` for each ``counted`` of them (100 points at 1.00 CNY)."""
    return Grant(points, None, None, Decimal(points) * worth / counted)


def money_granted(amount: Decimal, currency: str) -> Grant:
    """Money in the company's currency, the only one that limits are written in."""
    return Grant(0, amount, currency, amount)


@dataclass(frozen=True, slots=True)
class Ruling:
    """Whether somebody may decide alone, and if not, who may. ``limit`` None: theirs has no upper end."""

    within: bool
    summed: Decimal
    limit: Decimal | None
    may: tuple[str, ...]  # roles whose limit suffices, the smallest first
    because: str


def authority(
    value: Decimal, granted_before: Decimal, roles: Iterable[str], limits: Mapping[str, Decimal | None], currency: str
) -> Ruling:
    """Hold what a case would have been granted in all against the limit of these roles.

    Earlier grants of the same case count, whoever gave them: a sum is not made smaller by being paid in parts.
    ``limits``: role → limit per case, None without end.
    """
    summed = granted_before + value
    may = tuple(role for role, limit in sorted(limits.items(), key=_size) if limit is None or limit >= summed > 0)
    if value == 0:
        return Ruling(True, summed, Decimal(0), may, "nothing is granted, so nobody's limit is touched")
    held = [limits[role] for role in set(roles) if role in limits]
    limit = None if None in held else max((one for one in held if one), default=Decimal(0))
    total = f"{summed:.2f} {currency} in this case"
    if granted_before:
        total += f" ({granted_before:.2f} before and {value:.2f} now)"
    if limit is None:
        return Ruling(True, summed, None, may, f"{total}: no limit")
    if summed <= limit:
        return Ruling(True, summed, limit, may, f"{total}: within the limit of {limit:.2f} {currency}")
    because = f"{total}: above the limit of {limit:.2f} {currency}; {', '.join(may) or 'nobody'} may approve it"
    return Ruling(False, summed, limit, may, because)


def _size(item: tuple[str, Decimal | None]) -> tuple[bool, Decimal, str]:
    role, limit = item
    return limit is None, limit or Decimal(0), role
