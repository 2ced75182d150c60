"""Runs of classes and grades: computed as a job, every change told once (CG-06 to CG-09).

Rises count at once; falls wait for a second person where the pack says so. A dry run stops at the difference.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any
from uuid import UUID

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import jobs
from chassis.approvals.use_cases import propose
from chassis.errors import Invalid
from chassis.jobs import JobRow
from chassis.messaging import outbox
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.web.fields import instant
from chassis.web.principal import Principal, system
from customer.archive.use_cases import HERE, remember_many
from customer.policy import GradeScheme, Scheme
from customer.registry.queries import ONE
from customer.registry.state import full_state, segment_view
from customer.registry.tables import CustomerRow
from customer.segmentation import statements
from customer.segmentation.statements import GRADE
from customer.segmentation.tables import RunRow

RUN = "segmentation"
APPLY = "segmentation-falls"
FALLS = "grade-falls"
CHUNK = 2000
_EVERY = ["new", "rise", "fall", "changed"]
_FALLS_WAIT = timedelta(days=30)
_NONE = UUID(int=0)


def begin_run(
    context: Context, principal: Principal, family: str, scheme: str | None, as_of: date | None, dry_run: bool
) -> tuple[RunRow, JobRow]:
    """Queue a run over the whole population. Raises Invalid for a scheme the pack does not have."""
    policy = context.policies.in_force()
    rules = _rules(policy, family, scheme)
    day = as_of or policy.company.day_of(context.clock.now())
    first, last = policy.rules.window.days(day)
    job = jobs.start(context.session, context.clock, RUN, {"family": family}, principal)
    run = RunRow(
        id=job.id,
        family=family,
        scheme=rules.name,
        as_of=day,
        dry_run=dry_run,
        status="queued",
        window_from=first,
        window_to=last,
        population=0,
        buyers=0,
        summary={},
        clause=rules.clause,
        policyversion=policy.version,
        requested_by=principal.username,
        created_at=context.clock.now(),
    )
    context.session.add(run)
    context.session.flush()
    return run, job


def carry_out_run(context: Context, job: JobRow) -> bool:
    """One step of a run's job: first the difference, then its changes in pieces. True while more is to do."""
    run = context.session.get_one(RunRow, job.id, with_for_update=True)
    if run.status == "queued":
        find_difference(context, run)
        job.total = run.population
        job.result = _result(run)
        if run.dry_run:
            return _finished(context, run, job, "done")
        run.status = "applying"
        return True
    rules = _rules(context.policies.in_force(), run.family, run.scheme)
    directions = [name for name in _EVERY if name not in _waiting(rules)]
    after, more = apply_changes(context, run, directions, UUID(job.params.get("after", str(_NONE))))
    job.params = {**job.params, "after": str(after)}
    if more:
        return True
    falls = sum(change["customers"] for change in run.summary["changes"] if change["direction"] in _waiting(rules))
    if not falls:
        return _finished(context, run, job, "done")
    proposer = Principal(job.started_by or "system:customer", run.requested_by, "staff", "/", frozenset())
    content = {
        "run": str(run.id),
        "scheme": run.scheme,
        "as_of": run.as_of.isoformat(),
        "customers": falls,
        "changes": run.summary["changes"],
    }
    approval = propose(
        context.session, context.clock, proposer, FALLS, content, _FALLS_WAIT, permission="segmentation:approve"
    )
    run.approval_id = approval.id
    return _finished(context, run, job, "awaiting_approval")


def lower_grades(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """The second person agreed to the falls of a run: a job carries them out."""
    run = context.session.get_one(RunRow, UUID(content["run"]), with_for_update=True)
    run.status = "applying"
    job = jobs.start(context.session, context.clock, APPLY, {"run": str(run.id)})
    return {"run": str(run.id), "job": str(job.id)}


def carry_out_falls(context: Context, job: JobRow) -> bool:
    """One step of lowering what was approved."""
    run = context.session.get_one(RunRow, UUID(job.params["run"]), with_for_update=True)
    after, more = apply_changes(context, run, ["fall"], UUID(job.params.get("after", str(_NONE))))
    job.params = {**job.params, "after": str(after)}
    return True if more else _finished(context, run, job, "done")


def find_difference(context: Context, run: RunRow) -> None:
    """Compute the run and keep its result: the inputs seen, the value found, the difference to what is in force."""
    session, policy = context.session, context.policies.in_force()
    rules = _rules(policy, run.family, run.scheme)
    if isinstance(rules, GradeScheme):
        found, order = statements.grading(rules), [level.name for level in rules.levels]
    else:
        found, order = statements.classification(rules), list(rules.classes())
    session.execute(
        text(statements.DIFFERENCE.format(found=found.sql)),
        {
            **found.values,
            "first": run.window_from,
            "last": run.window_to,
            "as_of": run.as_of,
            "run": run.id,
            "scheme": _in_segments(run),
            "entry": _entry(rules),
            "order": order,
        },
    )
    rows = session.execute(text(statements.SUMMARY), {"run": run.id}).all()
    run.population = session.execute(text(statements.POPULATION)).scalar_one()
    run.buyers = sum(row.buyers for row in rows)
    moved = [row for row in rows if row.direction != "same"]
    run.summary = {
        "changed": sum(row.customers for row in moved),
        "changes": [
            {"from": row.previous, "to": row.value, "direction": row.direction, "customers": row.customers}
            for row in moved
        ],
    }
    run.clause, run.policyversion = rules.clause, policy.version


def apply_changes(context: Context, run: RunRow, directions: Sequence[str], after: UUID) -> tuple[UUID, bool]:
    """Let the next piece of a run's changes count: value, version, archive and event of each customer."""
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    rules = _rules(policy, run.family, run.scheme)
    scheme = _in_segments(run)
    keys = {"run": run.id, "scheme": scheme, "entry": _entry(rules)}
    rows = session.execute(
        text(statements.NEXT), {**keys, "directions": list(directions), "after": after, "size": CHUNK}
    ).all()
    if not rows:
        return after, False
    ids = [row.customer_id for row in rows]
    session.execute(text(statements.RAISE_VERSION), {"ids": ids, "now": now})
    session.execute(
        text(statements.TAKE_OVER),
        {
            "run": run.id,
            "scheme": scheme,
            "ids": ids,
            "now": now,
            "clause": run.clause,
            "clauses": orjson.dumps(_clauses(rules)).decode(),
            "policyversion": run.policyversion,
            "window": orjson.dumps({"from": run.window_from, "to": run.window_to}).decode(),
        },
    )
    _tell(session, run, policy, {row.customer_id: row for row in rows})
    return ids[-1], len(rows) == CHUNK


def review_monthly(context: Context) -> bool:
    """The calendar's turn: every classification and the grading of the pack."""
    principal = system("customer")
    for scheme in context.policies.in_force().rules.classifications.values():
        if scheme.template is None:
            begin_run(context, principal, "classification", scheme.name, None, dry_run=False)
    begin_run(context, principal, "grading", None, None, dry_run=False)
    return False


def _tell(session: Session, run: RunRow, policy: Policy, changed: dict[UUID, Any]) -> None:
    """One event and one archive entry per changed customer, with the state they now have."""
    now = session.info["clock"].now()
    grading = run.family == "grading"
    events, entries = [], []
    for row in session.execute(ONE.where(CustomerRow.__table__.c.id.in_(list(changed)))):
        change = changed[row.id]
        segments = {scheme: segment_view(*values) for scheme, values in row.segments.items()}
        common = {"run": str(run.id), "effective_at": instant(now), "clause": run.clause}
        if grading:
            kind, more = "customer.graded.v1", {"previous": change.previous, **common}
        else:
            moved = {"scheme": run.scheme, "previous": change.previous, "value": change.value}
            kind, more = "customer.classified.v1", {"changes": [moved], **common}
        events.append(
            outbox.draft(
                session,
                kind,
                subject=str(row.id),
                data={**full_state(row, segments, policy), **more},
                key=f"{row.id}:{row.version}",
                partitionkey=str(row.id),
                sequence=row.version,
                policyversion=run.policyversion,
            )
        )
        entry = {
            "scheme": run.scheme,
            "previous": change.previous,
            "value": change.value,
            "run": str(run.id),
            "clause": run.clause,
        }
        entries.append((row.id, now, "grade" if grading else "class", kind.removesuffix(".v1"), entry, HERE))
    outbox.record(session, events)
    remember_many(session, entries)


def _rules(policy: Policy, family: str, scheme: str | None) -> GradeScheme | Scheme:
    rules = policy.rules
    if family == "grading":
        if scheme is None or scheme == rules.grade_scheme.name:
            return rules.grade_scheme
        raise Invalid("No such scheme", {"scheme": [f"this pack grades by {rules.grade_scheme.name}"]})
    found = rules.classifications.get(scheme or "")
    if found is None or found.template is not None:
        known = [name for name, each in rules.classifications.items() if each.template is None]
        raise Invalid("No such scheme", {"scheme": [f"this pack classifies by {', '.join(known)}"]})
    return found


def _in_segments(run: RunRow) -> str:
    return GRADE if run.family == "grading" else run.scheme


def _entry(rules: GradeScheme | Scheme) -> str | None:
    """What a customer without a value counts as: the lowest grade; no class at all."""
    return rules.otherwise if isinstance(rules, GradeScheme) else None


def _waiting(rules: GradeScheme | Scheme) -> tuple[str, ...]:
    """Directions that need a second person."""
    return ("fall",) if isinstance(rules, GradeScheme) and rules.falls == "after approval" else ()


def _clauses(rules: GradeScheme | Scheme) -> dict[str, str]:
    named = rules.levels if isinstance(rules, GradeScheme) else rules.bands
    return {each.name: each.clause for each in named if each.clause}


def _result(run: RunRow) -> dict[str, Any]:
    path = "gradings" if run.family == "grading" else "classifications"
    return {"run": str(run.id), "url": f"/api/v1/{path}/{run.id}", **run.summary}


def _finished(context: Context, run: RunRow, job: JobRow, status: str) -> bool:
    run.status, run.finished_at = status, context.clock.now()
    job.done = job.total = run.population
    return False
