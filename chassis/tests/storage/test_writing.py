"""Rows of several tables, written in one statement, are what the unit of work would have written."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select, text

from chassis.audit.trail import AuditRow, SealRow
from chassis.messaging import outbox
from chassis.people.copy import UnitRow
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.storage.writing import write_new, write_newer
from chassis.timing import due
from chassis.timing.due import DueRow
from chassis.web.idempotency import IdempotencyRow

SERVICE = Service("letters", "Letters", "1", Path(__file__).parent / "sample_migrations")


@pytest.fixture
def runtime(make_runtime: Callable[..., Runtime]) -> Runtime:
    return make_runtime(SERVICE)


def an_audit_row(at: datetime, action: str, **details: Any) -> AuditRow:
    return AuditRow(at=at, principal="p", kind="staff", username="fei", action=action, details=details)


def test_every_type_arrives_as_it_was_and_in_its_order(runtime: Runtime) -> None:
    now = runtime.clock.now()
    body = bytes(range(256))
    key = IdempotencyRow(
        principal="p", path="/x", key="k", request_hash=body, status=201, headers={"a": ["'\\\"\n客"]}, body=None,
        created_at=now,
    )  # fmt: skip
    with runtime.context() as context:
        told = [
            outbox.draft(context.session, f"points.{n}.v1", subject="m1", data={"n": n}, key=f"P{n}") for n in range(5)
        ]
        steps = [an_audit_row(now, f"a{n}", n=n) for n in range(5)]
        write_new(
            context.session, [key, *steps, due.new_row("k", "1", now), *outbox.rows(context.session, told)],
            then=outbox.HINT,
        )  # fmt: skip

    with runtime.context() as context:
        kept = context.session.scalars(select(IdempotencyRow)).one()
        assert (kept.request_hash, kept.headers, kept.body, kept.created_at) == (body, key.headers, None, now)
        assert kept.expires_at is None
        trail = list(context.session.scalars(select(AuditRow).order_by(AuditRow.id)))
        assert [(row.action, row.details) for row in trail] == [(f"a{n}", {"n": n}) for n in range(5)]
        events = list(context.session.scalars(select(outbox.OutboxRow).order_by(outbox.OutboxRow.id)))
        assert [row.body for row in events] == [event.to_json() for event in told]
        assert {(row.status, row.attempts) for row in events} == {("pending", 0)}
        assert context.session.scalars(select(DueRow)).one().due_at == now


def test_what_has_a_known_key_is_the_session_s_afterwards(runtime: Runtime) -> None:
    with runtime.context() as context:
        row = due.new_row("k", "1", runtime.clock.now())
        write_new(context.session, [row])
        assert context.session.get(DueRow, ("k", "1")) is row
        row.attempts = 3

    with runtime.context() as context:
        assert context.session.get_one(DueRow, ("k", "1")).attempts == 3


def test_one_that_is_refused_takes_all_with_it(runtime: Runtime) -> None:
    now = runtime.clock.now()
    wrong = an_audit_row(now, "a")
    wrong.seal = 404  # no such seal

    with pytest.raises(Exception, match="fk_audit"), runtime.context() as context:
        write_new(context.session, [due.new_row("k", "1", now), wrong])

    with runtime.context() as context:
        assert context.session.scalar(text("SELECT count(*) FROM chassis.due")) == 0
        assert context.session.scalar(select(SealRow)) is None


def a_unit(code: str, version: int, **state: Any) -> dict[str, Any]:
    return {
        "id": code, "code": code, "name": f"{code} of 上海", "path": f"/{code}/", "version": version, "state": state,
        "updated_at": datetime(2026, 11, 20, tzinfo=UTC),
    }  # fmt: skip


def test_a_state_replaces_older_ones_and_no_newer_one(runtime: Runtime) -> None:
    with runtime.context() as context:
        assert write_newer(context.session, UnitRow, []) == set()
        assert write_newer(context.session, UnitRow, [a_unit("A", 5), a_unit("B", 1)]) == {"A", "B"}
    with runtime.context() as context:
        later = [a_unit("A", 5, late=True), a_unit("B", 2, of={"them": ["'", None]}), a_unit("C", 0)]
        assert write_newer(context.session, UnitRow, later) == {"B", "C"}

    with runtime.context() as context:
        kept = {unit.code: unit for unit in context.session.scalars(select(UnitRow))}
        assert {code: unit.version for code, unit in kept.items()} == {"A": 5, "B": 2, "C": 0}
        assert (kept["A"].state, kept["B"].state) == ({}, {"of": {"them": ["'", None]}})
        assert kept["B"].name == "B of 上海"
