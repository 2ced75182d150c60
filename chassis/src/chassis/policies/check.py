"""``kezhi policy check``: every fault of a pack, and what this release would do with it. Touches no database."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chassis.policies.generic import look_over
from chassis.policies.pack import Pack, from_documents, read_documents
from chassis.policies.problems import PolicyProblem, PolicyRefused, gathering
from chassis.policies.section import PolicySection
from chassis.policies.vocabulary.expression import FUNCTIONS
from chassis.policies.vocabulary.measures import MEASURES
from chassis.policies.vocabulary.predicates import PREDICATES


@dataclass(frozen=True)
class Report:
    """``problems`` to mend, ``notes`` to know, and one ``summary`` line. ``pack`` None: it cannot be read at all."""

    problems: tuple[PolicyProblem, ...]
    notes: tuple[str, ...]
    summary: str
    pack: Pack | None


def check(directory: Path, sections: Sequence[PolicySection[Any]], library: Path | None = None) -> Report:
    """Read the pack in ``directory`` with the readers of these services; files without one are looked over."""
    try:
        pack = from_documents(read_documents(directory, library), directory.resolve().name)
    except PolicyRefused as refused:
        return Report(tuple(refused.problems), (), "the pack cannot be read", None)
    problems: list[PolicyProblem] = []
    for section in sections:
        try:
            section.read(pack)
        except PolicyRefused as refused:
            problems += refused.problems
    read = {section.name for section in sections}
    unread = sorted(set(pack.sections) - read)
    with gathering() as found:
        for name in unread:
            look_over(pack.sections[name])
    problems += found
    notes = tuple(
        f"{pack.sections[name].place.file}: no reader yet in this release; YAML, clauses and units were looked over"
        for name in unread
    )
    return Report(tuple(sorted(set(problems))), notes, _summary(pack), pack)


def _summary(pack: Pack) -> str:
    clauses = {
        child.text
        for node in (pack.head, *pack.sections.values())
        for each in node.walk()
        if isinstance(each.value, dict) and "clause" in each.value
        for child in each.value["clause"].walk()
        if child.text
    }
    return f"{pack.cited} is sound: {len(pack.sections)} files, {len(clauses)} clauses"


def vocabulary() -> list[str]:
    """What a pack may say in expressions, one line each."""
    lines = [f"measure    {each.name}: {each.meaning} ({each.unit})" for each in MEASURES.values()]
    lines += [f"function   {name}(…): {meaning}" for name, meaning in FUNCTIONS.items()]
    lines += [f"predicate  {each.phrase}: {each.meaning}" for each in PREDICATES.values()]
    return lines
