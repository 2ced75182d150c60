"""``kezhi policy diff``: what a new pack decides otherwise, in words, clause by clause.

``CG-09 grades.value.levels.platinum.at: 75 → 80 (harder to reach)``
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import Any

from chassis.policies.document import Node
from chassis.policies.merging import by_identity, identifying_key
from chassis.policies.pack import Pack, load
from chassis.policies.reading import MARKS
from chassis.policies.section import PolicySection
from chassis.policies.units import parse_amount, parse_duration, parse_share

# What it means for the people concerned when a number under this key rises, and when it falls.
EFFECTS: dict[str, tuple[str, str]] = {
    "at": ("harder to reach", "easier to reach"),
    "bonus": ("more bonus", "less bonus"),
    "points": ("more points", "fewer points"),
    "growth": ("more growth value", "less growth value"),
    "quota": ("more may hold it", "fewer may hold it"),
    "pending": ("spendable later", "spendable sooner"),
    "kept_for": ("kept longer", "kept shorter"),
    "notice": ("told earlier", "told later"),
    "hold_for": ("held longer", "held shorter"),
    "within": ("more time", "less time"),
    "every": ("less often", "more often"),
    "compensation": ("may grant more", "may grant less"),
    "second_person_above": ("more is decided alone", "less is decided alone"),
    "director_above": ("the director is asked later", "the director is asked earlier"),
    "stale_after": ("stale later", "stale earlier"),
    "sample": ("more are asked", "fewer are asked"),
    "worth": ("points are worth more", "points are worth less"),
    "value_from": ("raised at larger amounts", "raised at smaller amounts"),
    "warn_at": ("warned later", "warned earlier"),
    "attempts": ("more attempts", "fewer attempts"),
}
_OTHERWISE = ("more", "less")
_APPROXIMATE = {
    "second": 1,
    "minute": 60,
    "hour": 3600,
    "working hour": 3600,
    "day": 86400,
    "working day": 86400 * 7 / 5,
}
_APPROXIMATE |= {"week": 7 * 86400, "month": 30.4 * 86400, "year": 365.25 * 86400}


@dataclass(frozen=True)
class Change:
    """One difference. ``before`` or ``after`` is None where the rule is new or gone."""

    file: str
    path: str
    clause: str
    before: str | None
    after: str | None
    effect: str

    def __str__(self) -> str:
        where = f"{self.clause or self.file} {self.path}"
        if self.before is None:
            return f"{where}: new, {self.after}"
        if self.after is None:
            return f"{where}: gone, was {self.before}"
        return f"{where}: {self.before} → {self.after}{f' ({self.effect})' if self.effect else ''}"


def diff(
    old: Path, new: Path, sections: Sequence[PolicySection[Any]] = (), library: Path | None = None
) -> list[Change]:
    """The differences between two pack folders. Raises PolicyRefused where one cannot be read, by its readers too."""
    packs = [load(folder, library) for folder in (old, new)]
    for pack in packs:
        for section in sections:
            section.read(pack)
    return compare(*packs)


def compare(old: Pack, new: Pack) -> list[Change]:
    """The differences between two packs that were read."""
    changes: list[Change] = []
    before, after = _company(old), _company(new)
    changes += _nodes("pack.yaml", "company", before, after, "")
    for name in dict.fromkeys([*old.sections, *new.sections]):
        changes += _nodes(f"{name}.yaml", "", old.sections.get(name), new.sections.get(name), "")
    return changes


def _company(pack: Pack) -> Node | None:
    return pack.head.value.get("company") if isinstance(pack.head.value, dict) else None


def _nodes(file: str, path: str, old: Node | None, new: Node | None, clause: str) -> Iterator[Change]:
    clause = _clause(new) or _clause(old) or clause
    if old is None or new is None:
        yield Change(file, path, clause, _words(old), _words(new), "")
    elif isinstance(old.value, dict) and isinstance(new.value, dict):
        for key in dict.fromkeys([*old.value, *new.value]):
            if key not in MARKS or key == "clause":
                below = f"{path}.{key}" if path else key
                yield from _nodes(file, below, old.value.get(key), new.value.get(key), clause)
    elif (shared := _shared_identity(old, new)) is not None:
        was, now = by_identity(old, shared), by_identity(new, shared)
        for name in dict.fromkeys([*was, *now]):
            yield from _nodes(file, f"{path}.{name}", was.get(name), now.get(name), clause)
    elif old.plain() != new.plain():
        yield Change(file, path, clause, _words(old), _words(new), _effect(path, old, new))


def _shared_identity(old: Node, new: Node) -> str | None:
    key = identifying_key(old)
    return key if key is not None and identifying_key(new) == key else None


def _clause(node: Node | None) -> str:
    if node is None or not isinstance(node.value, dict) or "clause" not in node.value:
        return ""
    return ", ".join(child.text for child in node.value["clause"].walk() if child.text)


def _words(node: Node | None) -> str | None:
    """A value as one would write it on a line."""
    if node is None:
        return None
    match node.value:
        case dict():
            return (
                "{"
                + ", ".join(f"{key}: {_words(child)}" for key, child in node.value.items() if key not in MARKS)
                + "}"
            )
        case list():
            return "[" + ", ".join(str(_words(child)) for child in node.value) + "]"
        case None:
            return "nothing"
    return node.text


def _effect(path: str, old: Node, new: Node) -> str:
    """What a changed number means: said by its key, or by the key above it (`every.2`)."""
    before, after = _size(old), _size(new)
    if before is None or after is None or before == after:
        return ""
    names = [part for part in path.split(".") if part in EFFECTS]
    rises, falls = EFFECTS[names[-1]] if names else _OTHERWISE
    return rises if after > before else falls


def _size(node: Node) -> Decimal | None:
    if isinstance(node.value, bool):
        return None
    if isinstance(node.value, int | Decimal):
        return Decimal(node.value)
    if (share := parse_share(node.text)) is not None:
        return share
    if (duration := parse_duration(node.text)) is not None:
        return Decimal(duration.amount) * Decimal(_APPROXIMATE[duration.unit])
    if node.text == "none":
        return Decimal(0)
    amount = parse_amount(node.text)
    return amount.value if amount else None
