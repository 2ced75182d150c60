"""A file of opening balances: its lines, read strictly, and whether they add up to what the source says. Pure."""

from __future__ import annotations

import re
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from hashlib import blake2b

COLUMNS = ("customer", "points", "growth", "earned_on", "expires_on", "reference")
REQUIRED = ("customer", "points")
MOST = 10**12  # points of one line
LONGEST = 200  # characters of one cell
_WHOLE = re.compile(r"[0-9]{1,13}\Z", re.ASCII)
_DAY = re.compile(r"\d{4}-\d\d-\d\d\Z", re.ASCII)
_IDENTITY = re.compile(r"[a-z][a-z0-9_.-]{0,31}:[^\x00-\x20][^\x00-\x1f]*\Z")

Faults = dict[str, list[str]]


@dataclass(frozen=True, slots=True)
class OpeningLine:
    """What one member had, or a part of it with its own expiry. ``reference`` identifies it in the source, for ever."""

    place: int  # line of the file; the first one names the columns
    customer: str  # an identity, `card:8801`, or a customer id
    points: int
    growth: int
    earned_on: date | None
    expires_on: date | None
    reference: str

    @property
    def content(self) -> str:
        """A digest of what the line says; its place in the file says nothing."""
        said = (self.customer, self.points, self.growth, self.earned_on, self.expires_on)
        return blake2b("\n".join(map(str, said)).encode(), digest_size=16).hexdigest()


def misread(header: Sequence[str]) -> Faults:
    """What is wrong with the first line; empty when it can be read."""
    wrong: Faults = {}
    for column in header:
        if column not in COLUMNS:
            wrong[column or "header"] = [f"no such column; use {', '.join(COLUMNS)}"]
    if len(set(header)) < len(header):
        wrong["header"] = ["a column is there twice"]
    for column in REQUIRED:
        if column not in header:
            wrong[column] = ["this column is missing"]
    return wrong


def read_lines(
    header: Sequence[str], rows: Iterable[tuple[int, Sequence[str]]], today: date
) -> tuple[list[OpeningLine], Faults]:
    """The lines that can be read, and the faults of the others by ``line 7.points``."""
    lines: list[OpeningLine] = []
    faults: Faults = {}
    seen: dict[str, int] = {}
    for place, cells in rows:
        if len(cells) > len(header):
            faults[f"line {place}"] = ["has more cells than the first line; is a comma not quoted?"]
            continue
        said = {column: cell.strip() for column, cell in zip(header, cells, strict=False)}
        wrong = _wrong(said, today)
        if wrong:
            faults |= {f"line {place}.{column}": [message] for column, message in wrong.items()}
            continue
        line = _line(place, said)
        if line.reference in seen:
            message = f"the same reference as line {seen[line.reference]}: give each line its own"
            faults[f"line {place}.reference"] = [message]
            continue
        seen[line.reference] = place
        lines.append(line)
    return lines, faults


def _wrong(said: Mapping[str, str], today: date) -> dict[str, str]:
    wrong = {name: f"at most {LONGEST} characters" for name, cell in said.items() if len(cell) > LONGEST}
    wrong |= {name: "must not contain the NUL character" for name, cell in said.items() if "\x00" in cell}
    customer = said.get("customer", "")
    if not _IDENTITY.match(customer) and _customer_id(customer) is None:
        wrong["customer"] = "write an identity, e.g. card:8801, or a customer id"
    for name in ("points", "growth"):
        cell = said.get(name, "")
        if (cell or name == "points") and not (_WHOLE.match(cell) and int(cell) <= MOST):
            wrong[name] = f"must be a whole number from 0 to {MOST}, in digits only"
    for name in ("earned_on", "expires_on"):
        if said.get(name) and _day(said[name]) is None:
            wrong[name] = "must be a day of the calendar, e.g. 2026-11-21"
    if wrong:
        return wrong
    earned_on, expires_on = _day(said.get("earned_on", "")), _day(said.get("expires_on", ""))
    if earned_on is not None and earned_on > today:
        wrong["earned_on"] = "lies in the future"
    if expires_on is not None and expires_on < today:
        wrong["expires_on"] = "is over: leave out what has expired, in the source's total too"
    if not int(said["points"]) and not int(said.get("growth") or 0):
        wrong["points"] = "the line brings nothing: leave it out"
    return wrong


def _line(place: int, said: Mapping[str, str]) -> OpeningLine:
    return OpeningLine(
        place=place,
        customer=said["customer"],
        points=int(said["points"]),
        growth=int(said.get("growth") or 0),
        earned_on=_day(said.get("earned_on", "")),
        expires_on=_day(said.get("expires_on", "")),
        reference=said.get("reference") or said["customer"],
    )


def name_of(customer: str) -> str:
    """The name under which the members' names are kept."""
    id_ = _customer_id(customer)
    return customer if id_ is None else f"#{id_}"


def difference(lines: Iterable[OpeningLine], points: int, growth: int | None) -> Faults:
    """Where the lines do not add up to the source's totals; ``growth`` None: the source does not say."""
    wrong: Faults = {}
    found = {"points": 0, "growth": 0}
    for line in lines:
        found["points"] += line.points
        found["growth"] += line.growth
    for name, stated in (("points", points), ("growth", growth)):
        if stated is not None and found[name] != stated:
            off = found[name] - stated
            side = f"{off} too many" if off > 0 else f"{-off} are missing"
            wrong[name] = [f"the lines add up to {found[name]}, the source says {stated}: {side}"]
    return wrong


def _customer_id(text: str) -> uuid.UUID | None:
    try:
        return uuid.UUID(text) if len(text) == 36 else None
    except ValueError:
        return None


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text) if _DAY.match(text) else None
    except ValueError:
        return None
