"""How a line of a file reads as a registration, and how a fault reads to the person who mends it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

# column → what it says; several values of one cell are parted by semicolons
COLUMNS = (
    "name", "kind", "phone", "email", "identity", "unit", "owner", "birthday", "stage", "value_class", "address",
    "division", "tags", "department", "collected_by",
)  # fmt: skip
PROFILE = "profile."
LONGEST_LINE = 100_000


def misread(header: Sequence[str]) -> dict[str, list[str]]:
    """What is wrong with the first line; empty when it can be read."""
    wrong: dict[str, list[str]] = {}
    for column in header:
        if column not in COLUMNS and not (column.startswith(PROFILE) and len(column) > len(PROFILE)):
            wrong[column or "header"] = [f"no such column; use {', '.join(COLUMNS)} or {PROFILE}<name>"]
    if len(set(header)) < len(header):
        wrong["header"] = ["a column is there twice"]
    if "name" not in header:
        wrong["name"] = ["this column is missing"]
    return wrong


def registration(cells: Mapping[str, str]) -> dict[str, Any]:
    """The body of ``POST customers`` that a line stands for; empty cells say nothing."""
    said = {column: cell.strip() for column, cell in cells.items() if cell.strip()}
    body: dict[str, Any] = {"kind": said.get("kind", "individual")}
    for column in ("name", "unit", "owner", "birthday", "stage", "value_class"):
        if column in said:
            body[column] = said[column]
    if "phone" in said:
        body["phones"] = [{"number": number} for number in _several(said["phone"])]
    if "email" in said:
        body["emails"] = [{"address": address} for address in _several(said["email"])]
    if "identity" in said:
        parts = [identity.partition(":") for identity in _several(said["identity"])]
        body["identities"] = [{"scheme": scheme.strip(), "value": value.strip()} for scheme, _, value in parts]
    if "address" in said:
        body["addresses"] = [{"text": said["address"], "division": said.get("division")}]
    if "tags" in said:
        body["tags"] = _several(said["tags"])
    profile = {column.removeprefix(PROFILE): cell for column, cell in said.items() if column.startswith(PROFILE)}
    if profile:
        body["profile"] = profile
    provenance = {column: said[column] for column in ("department", "collected_by") if column in said}
    if provenance:
        body["provenance"] = provenance
    return body


# path of a fault → the column it stands in
_IN_COLUMN = {"phones": "phone", "emails": "email", "identities": "identity", "addresses": "address"}


def faults(messages: Mapping[str, Sequence[str]]) -> str:
    """Field errors by path as one line: ``phone: has too few digits; birthday: must be a day of the calendar``."""
    return "; ".join(_faults(messages))


def _faults(messages: Mapping[str, Sequence[str]]) -> Iterator[str]:
    for path, texts in messages.items():
        top = path.partition(".")[0]
        yield f"{_IN_COLUMN.get(top, top)}: {', '.join(texts)}"


def _several(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]
