"""A file of customers becomes customers: received whole and in constant memory, then worked off piece by piece.

Each piece is one transaction with its counts, so that a crash loses no line and takes none twice. A line whose
identity is linked already changes that customer; a line that cannot be taken is reported with its number and its mend.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import marshmallow as ma
import orjson
from sqlalchemy import delete, select, tuple_
from sqlalchemy.orm import Session

from chassis import jobs
from chassis.errors import Conflict, Invalid, Refusal
from chassis.jobs import JobRow
from chassis.runtime import Context
from chassis.storage.bulk import copy_rows
from chassis.web.arguments import by_path
from chassis.web.principal import Principal, closed
from customer.importing.domain import LONGEST_LINE, faults, misread, registration
from customer.importing.tables import ImportLineRow
from customer.registry.domain import identity_texts, sameness_terms
from customer.registry.duplicates import sameness
from customer.registry.registering import new_customer, register_customer, register_customers
from customer.registry.schemas import NewCustomerSchema
from customer.registry.tables import IdentityRow
from customer.registry.use_cases import change_customer, lock_customer
from customer.units import unit_for

IMPORT = "import"
PIECE = 500
_COUNTS = ("read", "created", "updated", "refused")
_SCHEMA = NewCustomerSchema()


def receive_file(context: Context, principal: Principal, lines: Iterable[str], dry_run: bool) -> JobRow:
    """Keep every line of a CSV file and queue its job. Raises Invalid for a header that can't be read."""
    params = {
        "dry_run": dry_run,
        "by": {"id": principal.id, "username": principal.username, "unit_path": principal.unit_path},
        **dict.fromkeys(_COUNTS, 0),
    }
    job = jobs.start(context.session, context.clock, IMPORT, params, principal)
    csv.field_size_limit(LONGEST_LINE)
    try:
        job.total = _copy(context.session, job.id, csv.reader(lines))
    except csv.Error as wrong:
        raise Invalid(f"The file is no CSV: {wrong}", {"": [str(wrong)]}) from None
    return job


def work_off(context: Context, job: JobRow) -> bool:
    """One piece of an import; True while lines are left."""
    params = dict(job.params)
    c = ImportLineRow.__table__.c
    piece = context.session.execute(
        select(c.line, c.cells).where(c.job_id == job.id, c.line > params.get("after", 0)).order_by(c.line).limit(PIECE)
    ).all()
    if piece:
        before = context.session.begin_nested()
        counts, refused = _take(context, _principal(params["by"]), piece)
        if params["dry_run"]:
            before.rollback()
        else:
            before.commit()
        for line, reason in refused:
            jobs.note_error(context.session, job, line, reason)
        params.update({name: params[name] + counts[name] for name in _COUNTS}, after=piece[-1].line)
        context.session.execute(delete(ImportLineRow).where(c.job_id == job.id, c.line <= piece[-1].line))
    job.params = params
    job.done = params["read"]
    job.result = {**{name: params[name] for name in _COUNTS}, "dry_run": params["dry_run"]}
    return len(piece) == PIECE


def forget_lines(context: Context) -> bool:
    """Schedule step: remove up to 5,000 lines of imports that were given up; they hold people's data to no purpose."""
    c = ImportLineRow.__table__.c
    given_up = select(JobRow.id).where(JobRow.status == "failed")
    lines = select(c.job_id, c.line).where(c.job_id.in_(given_up)).limit(5000)
    removed = context.session.execute(delete(ImportLineRow).where(tuple_(c.job_id, c.line).in_(lines)))
    return bool(removed.rowcount == 5000)  # type: ignore[attr-defined]


def _copy(session: Session, job_id: UUID, rows: Iterator[list[str]]) -> int:
    header = [column.strip().lower() for column in next(rows, [])]
    wrong = misread(header)
    if wrong:
        raise Invalid("The first line does not name the columns as expected", wrong)
    count = 0

    def numbered() -> Iterator[tuple[Any, ...]]:
        nonlocal count
        for line, cells in enumerate(rows, 2):
            if any(cell.strip() for cell in cells):
                count += 1
                kept = {**dict(zip(header, cells, strict=False)), **({"": "x"} if len(cells) > len(header) else {})}
                yield job_id, line, orjson.dumps(kept).decode().replace("\\u0000", "")

    copy_rows(session, "import_line", ("job_id", "line", "cells"), numbered())
    return count


def _take(context: Context, principal: Principal, piece: Sequence[Any]) -> tuple[dict[str, int], list[tuple[int, str]]]:
    counts = {**dict.fromkeys(_COUNTS, 0), "read": len(piece)}
    refused: list[tuple[int, str]] = []
    together: list[tuple[int, dict[str, Any]]] = []
    alone: list[tuple[int, dict[str, Any]]] = []
    seen: set[str] = set()
    for line, cells in piece:
        try:
            command = _read(context, principal, cells)
        except (ma.ValidationError, Refusal) as wrong:
            refused.append((line, _reason(wrong)))
            continue
        marks = _marks(command)
        # Two lines of one piece that may mean the same customer are taken one after the other.
        (alone if marks & seen else together).append((line, command))
        seen |= marks
    policy = context.policies.in_force()
    given = [command for _, command in together]
    results = register_customers(context.session, context.clock, policy, principal.username, given) if given else []
    for (line, command), result in zip(together, results, strict=True):
        _account(context, principal, line, command, result, counts, refused)
    for line, command in alone:
        try:
            result = register_customer(context.session, context.clock, policy, principal.username, command)
        except Conflict as conflict:
            result = conflict
        _account(context, principal, line, command, result, counts, refused)
    counts["refused"] = len(refused)
    return counts, refused


def _account(
    context: Context,
    principal: Principal,
    line: int,
    command: Mapping[str, Any],
    result: Any,
    counts: dict[str, int],
    refused: list[tuple[int, str]],
) -> None:
    if not isinstance(result, Conflict):
        counts["created"] += 1
        return
    holders = _holders(context.session, command)
    if len(holders) != 1:
        refused.append((line, _reason(result)))
        return
    customer = lock_customer(context.session, holders.pop())
    facts = {name: value for name, value in command.items() if name not in ("identities", "force", "provenance")}
    change_customer(
        context.session,
        context.clock,
        context.policies.in_force(),
        principal.username,
        customer,
        facts,
        command.get("provenance"),
    )
    counts["updated"] += 1


def _read(context: Context, principal: Principal, cells: dict[str, str]) -> dict[str, Any]:
    if "" in cells:
        raise ma.ValidationError({"line": ["has more cells than the first line; is a comma not quoted?"]})
    command = dict(_SCHEMA.load(registration(cells)))
    command["unit"] = unit_for(context.session, principal, command.get("unit"))
    return command


def _marks(command: Mapping[str, Any]) -> set[str]:
    """By what two lines may mean the same customer."""
    row = new_customer(datetime(1970, 1, 1, tzinfo=UTC), "", command)
    return {*identity_texts(row.identities), *sameness(row), *sameness_terms((), (), row.birthday, row.pinyin)}


def _holders(session: Session, command: Mapping[str, Any]) -> set[UUID]:
    identities = identity_texts(command.get("identities") or [])
    if not identities:
        return set()
    return set(session.scalars(select(IdentityRow.customer_id).where(IdentityRow.identity.in_(identities))))


def _reason(wrong: Exception) -> str:
    if isinstance(wrong, ma.ValidationError):
        return faults(by_path(wrong.messages))
    if isinstance(wrong, Conflict):
        known = ", ".join(candidate["code"] for candidate in wrong.members.get("candidates", ()))
        return f"{wrong.detail} ({known})" if known else wrong.detail
    return wrong.detail if isinstance(wrong, Refusal) else str(wrong)


def _principal(by: Mapping[str, str]) -> Principal:
    return Principal(by["id"], by["username"], "staff", closed(by["unit_path"]), frozenset())
