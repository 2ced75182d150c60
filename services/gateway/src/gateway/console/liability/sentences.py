"""What the loyalty service says of rebates, in the reader's language."""

from __future__ import annotations

import re
from typing import Any

from gateway.console.words import N_, gettext, language, money, ngettext, number, term

QUARTER = re.compile(r"(\d{4})-Q([1-4])")
MONTH = re.compile(r"(\d{4})-(\d\d)")
_SUMS = (
    (re.compile(r"(?P<share>[\d.]+ %) of (?P<n>\d+) (?P<unit>\w+): (?P<worth>[\d.]+)"),
     N_("%(share)s of %(n)s: %(worth)s in points")),
    (re.compile(r"(?P<n>\d+) (?P<unit>\w+) reached"), N_("%(n)s reached")),
    (re.compile(r"(?P<n>\d+) (?P<unit>\w+), from (?P<least>\d+) on there is a rebate"),
     N_("%(n)s bought; from %(least)s on there is a rebate")),
)  # fmt: skip


def unit(code: str) -> str:
    """A currency as it is; growth value and purchases in words."""
    return code if code.isupper() else term(code)


def bought(amount: Any, counted_in: str) -> str:
    """What is counted in the unit of the pack's tiers: money, growth value or purchases."""
    if counted_in == "growth":
        return gettext("%(n)s growth value", n=number(amount))
    if counted_in == "purchases":
        return ngettext("%(n)s purchase", "%(n)s purchases", int(amount))
    return money(amount, counted_in)


def period_name(period: str) -> str:
    """2026-Q4, 2026-11 and 2026 as the reader says them."""
    if language() == "en":
        return period
    if quarter := QUARTER.fullmatch(period):
        return f"{quarter[1]}年第{quarter[2]}季度"
    if month := MONTH.fullmatch(period):
        return f"{month[1]}年{int(month[2])}月"
    return f"{period}年" if period.isdigit() else period


def because(detail: str) -> str:
    """The sum of a step, as the service wrote it, in the reader's language; as it came where it is new."""
    for form, message in _SUMS:
        if told := form.fullmatch(detail):
            facts = told.groupdict()
            counted_in = facts.pop("unit")
            amounts = {name: bought(value, counted_in) for name, value in facts.items() if name != "share"}
            return gettext(message, **{**facts, **amounts})
    return detail


FORMS = ((re.compile(r"rebate (\S+)"), lambda m: f"{period_name(m[1])}返利"),)  # of the ledger, for ``reasons.py``
