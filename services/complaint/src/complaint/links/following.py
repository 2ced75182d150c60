"""What a complainant is shown of their own case: the course, the times, who has it; nothing of what is said inside."""

from __future__ import annotations

from typing import Any

from sqlalchemy import select

from chassis.people import StaffRow
from chassis.runtime import Context
from complaint.cases.tables import Complaint, Step
from complaint.clocks.showing import shown
from complaint.links.use_cases import answerable, opened
from complaint.policy import ComplaintPolicy

# The steps that concern the complainant, in the words of the page. What the house decides inside is not theirs to read.
UPDATES = {
    "receive": "received", "acknowledge": "acknowledged", "contact": "contacted", "progress": "progress",
    "investigate": "investigating", "promise": "promised", "wait": "waiting_for_customer", "resume": "resumed",
    "resolve": "resolved", "reopen": "reopened", "withdraw": "withdrawn",
}  # fmt: skip
INSIDE = {"triaged", "proposed", "approved", "unfounded"}  # states of the house's own deliberation
EXPECTED = ("first_contact", "answer", "progress", "resolution", "promise", "callback")
LIVE = ("running", "paused", "breached")


def follow(context: Context, token: str) -> dict[str, Any]:
    """The case behind a link. Raises NotFound for a link that is wrong, used or too old, in the same words."""
    session = context.session
    link, case = opened(session, token, context.clock.now())
    policy: ComplaintPolicy = context.policies.in_force().rules
    status = "investigating" if case.status in INSIDE else case.status
    handler = session.scalar(select(StaffRow).where(StaffRow.username == case.handler)) if case.handler else None
    return {
        "number": case.number,
        "type": case.type,
        "status": status,
        "status_text_key": f"complaint.status.{status}",
        "round": case.round,
        "subject": case.subject,
        "received_at": case.received_at,
        "expected": _expected(context, case),
        "handler_name": handler.name if handler else None,
        "handler_phone": handler.state.get("phone") if handler else None,
        "updates": _updates(context, case),
        "purpose": link.purpose,
        "may_answer": answerable(link, case),
        "expires_at": link.expires_at,
        "scale": {str(value): text for value, text in sorted(policy.satisfaction.scale.items())},
    }


def _expected(context: Context, case: Complaint) -> list[dict[str, Any]]:
    """The times by which the next steps are due, soonest first (FR-07)."""
    clocks = [
        {"step": clock["kind"], "due_at": clock["due_at"], "provisional": clock["provisional"]}
        for clock in shown(context.session, [case.id]).get(case.id, [])
        if clock["kind"] in EXPECTED
        and clock["status"] in LIVE
        and clock["due_at"] is not None
        and clock["ended_at"] is None  # a deadline that was missed stays so, but what was done late is awaited no more
    ]
    return sorted(clocks, key=lambda clock: str(clock["due_at"]))


def _updates(context: Context, case: Complaint) -> list[dict[str, Any]]:
    """What happened, oldest first; the answer of each round in its own words."""
    steps = context.session.scalars(select(Step).where(Step.complaint_id == case.id).order_by(Step.id))
    told = []
    for step in steps:
        if step.action in UPDATES:
            text = step.note or "" if step.action == "resolve" else ""
            told.append({"at": step.at, "kind": UPDATES[step.action], "text": text})
        elif step.action in ("callback", "attempt") and step.to_status != step.from_status:
            told.append({"at": step.at, "kind": "closed" if step.to_status == "closed" else "reopened", "text": ""})
    return told
