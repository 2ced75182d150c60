"""Which clocks an action starts, meets and ends: one table. Pure.

A clock that is *met* did what it is for; one that is *ended* is no longer needed (a case that is withdrawn). The pack
may add kinds of its own with the actions that start and stop them.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from complaint.policy.rules import ClockRule

NEW_ROUND, NEEDS_APPROVAL, ENDED = "new_round", "needs_approval", "ended"
FINAL = ("closed", "withdrawn")


@dataclass(frozen=True)
class Course:
    """What one kind of clock listens to."""

    starts: tuple[str, ...]
    met_by: tuple[str, ...]
    ended_by: tuple[str, ...] = ()


COURSES: Mapping[str, Course] = {
    #                       starts with              met by                                  no longer needed
    "first_contact": Course(("receive",),            ("contact", "progress", "resolve")),
    "answer":        Course(("receive", NEW_ROUND),  ("contact", "progress", "resolve")),
    "progress":      Course(("receive", NEW_ROUND),  ("contact", "progress"),                ("resolve",)),
    "resolution":    Course(("receive", NEW_ROUND),  ("resolve",)),
    "promise":       Course((),                      ("resolve",)),
    "callback":      Course(("resolve",),            ("callback",)),
    "approval":      Course((NEEDS_APPROVAL,),       ("approve",),                           ("propose", "resolve")),
}  # fmt: skip

SAID = {  # how a clock's explanation names its beginning
    "receive": "received",
    NEW_ROUND: "round opened",
    NEEDS_APPROVAL: "proposed",
    "resolve": "resolved",
    "contact": "first contact",
    "progress": "last contact",
}


def heard(action: str, status: str, *, approval_needed: bool) -> frozenset[str]:
    """What an action means to the clocks, given the state it led to."""
    words = {action}
    if action in ("callback", "attempt", "reopen") and status == "investigating":
        words.add(NEW_ROUND)
    if action == "propose" and approval_needed:
        words.add(NEEDS_APPROVAL)
    if status in FINAL:
        words.add(ENDED)
    return frozenset(words)


def course_of(rule: ClockRule) -> Course:
    """The course of a kind: the house's own, or the pack's."""
    return COURSES.get(rule.kind) or Course(rule.starts, rule.stops)


def meets(rule: ClockRule, words: frozenset[str]) -> bool:
    """Whether the clock did what it is for."""
    return not words.isdisjoint(course_of(rule).met_by)


def ends(rule: ClockRule, words: frozenset[str]) -> bool:
    """Whether the clock is no longer needed."""
    return ENDED in words or NEW_ROUND in words or not words.isdisjoint(course_of(rule).ended_by)


def begins(rule: ClockRule, words: frozenset[str], met: bool) -> str | None:
    """The word that starts the clock now; a recurring one begins again whenever it was met."""
    course = course_of(rule)
    if rule.recurring and met and words.isdisjoint({ENDED, *course.ended_by}):
        return next(iter(words & set(course.met_by)))
    return next((word for word in course.starts if word in words), None)
