"""What is wrong with a pack: file, line, column, the fault in words, and what to write instead.

Readers never stop at the first fault: they note it in the collector that is open and go on with a harmless
placeholder, so that an author mends a file in one round. Nothing built from placeholders ever leaves a reading:
``collecting`` raises when anything was noted.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass

from chassis.errors import Invalid

MOST_SHOWN = 200


@dataclass(frozen=True, order=True)
class Place:
    """A point in a file of a pack; lines and columns count from 1."""

    file: str
    line: int
    column: int

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"


@dataclass(frozen=True, order=True)
class PolicyProblem:
    """One fault of a pack and its mend."""

    file: str
    line: int
    column: int
    message: str
    mend: str

    @property
    def place(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def __str__(self) -> str:
        return f"{self.place}: {self.message} - {self.mend}"


class PolicyRefused(Invalid):
    """A pack that is not taken over; ``problems`` holds every fault found."""

    title = "Policy pack refused"

    def __init__(self, problems: list[PolicyProblem]) -> None:
        self.problems = sorted(set(problems))
        errors: dict[str, list[str]] = {}
        for problem in self.problems[:MOST_SHOWN]:
            errors.setdefault(problem.place, []).append(f"{problem.message} - {problem.mend}")
        count = len(self.problems)
        super().__init__(
            f"{count} problem{'s' if count != 1 else ''} in the pack; the first: {self.problems[0]}", errors
        )


_open: ContextVar[list[PolicyProblem] | None] = ContextVar("policy_problems", default=None)


def note(place: Place, message: str, mend: str) -> None:
    """Record one fault in the open collector."""
    problems = _open.get()
    if problems is None:
        raise LookupError("policy content is read inside problems.collecting()")
    problems.append(PolicyProblem(place.file, place.line, place.column, message, mend))


def noted() -> int:
    """How many faults this reading has noted so far; sense is checked only where the reading was clean."""
    return len(_open.get() or ())


@contextmanager
def gathering() -> Iterator[list[PolicyProblem]]:
    """Open a collector and hand it out; the caller looks into it afterwards."""
    problems: list[PolicyProblem] = []
    token = _open.set(problems)
    try:
        yield problems
    finally:
        _open.reset(token)


@contextmanager
def collecting() -> Iterator[None]:
    """Everything read in this block is sound, or PolicyRefused lists all that is not."""
    with gathering() as problems:
        yield
    if problems:
        raise PolicyRefused(problems)
