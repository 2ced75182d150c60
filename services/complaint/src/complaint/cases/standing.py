"""How a caller stands to a case: the facts that the lifecycle's table asks for."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.people import StaffRow, administrators, is_away
from chassis.runtime import Context
from chassis.web.principal import ADMINISTRATOR, Principal
from complaint.cases.lifecycle import Facts
from complaint.cases.tables import Complaint
from complaint.policy import ComplaintPolicy
from complaint.resolution.domain import NEEDS_APPROVAL
from complaint.resolution.tables import Proposal

CALLS_BACK = "complaints:call-back"


def facts_of(context: Context, principal: Principal, case: Complaint) -> Facts:
    """The case and the caller as the table sees them."""
    policy: ComplaintPolicy = context.policies.in_force().rules
    ladder = policy.escalation.ladder
    rank = max((ladder.index(role) for role in principal.roles if role in ladder), default=-1)
    needed = ladder.index(case.handler_role) if case.handler_role in ladder else 0
    administrator = ADMINISTRATOR in principal.roles
    handles = principal.username == case.handler or _deputises(
        context.session, principal.username, case.handler, context.clock.now()
    )
    system = principal.kind == "system"
    return Facts(
        level=case.level,
        round=case.round,
        type=case.type,
        approval_needed=case.approval_needed,
        handles=handles,
        outranks=administrator or rank > needed or rank == len(ladder) - 1,
        manages=rank > 0,
        on_ladder=rank >= 0,
        authorised=administrator or bool(principal.roles & _may_approve(context.session, case)),
        proposed=principal.username == case.proposed_by and not approves_alone(context.session, principal, policy),
        calls_back=administrator or principal.may(CALLS_BACK),
        system=system,
    )


def approves_alone(session: Session, principal: Principal, policy: ComplaintPolicy) -> bool:
    """A company's only administrator may approve what they proposed, where the pack lets them (decision 14)."""
    if ADMINISTRATOR not in principal.roles or not policy.company.single_administrator:
        return False
    return administrators(session) < 2


def _may_approve(session: Session, case: Complaint) -> frozenset[str]:
    """The roles whose limit suffices for the proposal that waits; nobody where none does."""
    if not case.approval_needed:
        return frozenset()
    waiting = select(Proposal.may).where(Proposal.complaint_id == case.id, Proposal.status == NEEDS_APPROVAL)
    return frozenset(session.scalar(waiting) or ())


def _deputises(session: Session, username: str, handler: str | None, now: datetime) -> bool:
    """Whether the handler is away now and has named this person."""
    if handler is None:
        return False
    found = session.scalar(select(StaffRow.state).where(StaffRow.username == handler))
    return found is not None and found.get("deputy") == username and is_away(found, now)
