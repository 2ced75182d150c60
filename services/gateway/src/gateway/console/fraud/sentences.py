"""What the pack's limits found in a purchase, in the reader's language: the loyalty service writes it in English."""

from __future__ import annotations

import re

from gateway.console.words import N_, gettext, in_words, number, term

STANDING = N_("blacklisted or flagged: what is earned waits until that is cleared")
CLEARED = N_("the member was cleared")
CAUSES = {
    "purchases_a_day": N_("Many purchases in a day"),
    "points_a_day": N_("Many points in a day"),
    "amount_above": N_("A large amount"),
    "outlier": N_("Far above the usual"),
    "member": N_("A member under a flag"),
}
_FORMS = (
    (re.compile(r"purchase (?P<n>\d+) of the day, at most (?P<m>\d+)"),
     N_("purchase number %(n)s of that day; the pack looks at more than %(m)s")),
    (re.compile(r"(?P<n>\d+) points on one day, at most (?P<m>\d+)"),
     N_("%(n)s points on one day; the pack looks at more than %(m)s")),
    (re.compile(r"(?P<n>[\d.]+) is above (?P<m>[\d.]+)"),
     N_("an amount of %(n)s; the pack looks at more than %(m)s")),
    (re.compile(r"(?P<n>[\d.]+) is more than (?P<k>[\d.]+) times the usual (?P<m>[\d.]+)"),
     N_("an amount of %(n)s, more than %(k)s times the member's usual %(m)s")),
)  # fmt: skip


FORMS = (  # what the service says when somebody was quicker, for ``console/reasons.py``
    (re.compile(r"it was (released|voided) already: (.+)"),
     lambda m: f"此前{'已放行' if m[1] == 'released' else '已作废'}：{m[2]}"),
)  # fmt: skip


def cause(code: str) -> str:
    """Which of the pack's limits it was."""
    return gettext(CAUSES[code]) if code in CAUSES else term(code)


def found(detail: str) -> str:
    """One finding; as the service said it where its form is new."""
    for form, message in _FORMS:
        if told := form.fullmatch(detail):
            return gettext(message, **{name: number(value) for name, value in told.groupdict().items()})
    return in_words(detail)
