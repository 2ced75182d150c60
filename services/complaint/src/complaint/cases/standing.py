"""How a caller stands to a case: the facts that the lifecycle's table asks for."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Select, select
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


@dataclass(frozen=True)
class Beside:
    """What else decides: the handler as the gateway last told, the roles that may approve what waits."""

    handler: Mapping[str, Any] | None
    may_approve: Collection[str]


def facts_of(context: Context, principal: Principal, case: Complaint, beside: Beside | None = None) -> Facts:
    """The case and the caller as the table sees them; ``beside`` where it was read already."""
    if beside is None:
        beside = Beside(_handler(context.session, case), _may_approve(context.session, case))
    policy: ComplaintPolicy = context.policies.in_force().rules
    ladder = policy.escalation.ladder
    rank = max((ladder.index(role) for role in principal.roles if role in ladder), default=-1)
    needed = ladder.index(case.handler_role) if case.handler_role in ladder else 0
    administrator = ADMINISTRATOR in principal.roles
    handles = principal.username == case.handler or _deputises(principal, beside.handler, context.clock.now())
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
        authorised=administrator or bool(principal.roles.intersection(beside.may_approve)),
        proposed=principal.username == case.proposed_by and not approves_alone(context.session, principal, policy),
        calls_back=administrator or principal.may(CALLS_BACK),
        system=system,
    )


def approves_alone(session: Session, principal: Principal, policy: ComplaintPolicy) -> bool:
    """A company's only administrator may approve what they proposed, where the pack lets them (decision 14)."""
    if ADMINISTRATOR not in principal.roles or not policy.company.single_administrator:
        return False
    return administrators(session) < 2


def waiting_for_approval() -> Select[Any]:
    """The roles whose limit suffices for a proposal that waits; narrow it to a case."""
    return select(Proposal.may).where(Proposal.status == NEEDS_APPROVAL)


def _may_approve(session: Session, case: Complaint) -> Collection[str]:
    if not case.approval_needed:
        return ()
    return session.scalar(waiting_for_approval().where(Proposal.complaint_id == case.id)) or ()


def _handler(session: Session, case: Complaint) -> Mapping[str, Any] | None:
    if case.handler is None:
        return None
    return session.scalar(select(StaffRow.state).where(StaffRow.username == case.handler))


def _deputises(principal: Principal, handler: Mapping[str, Any] | None, now: datetime) -> bool:
    """Whether the handler is away now and has named this person."""
    return handler is not None and handler.get("deputy") == principal.username and is_away(handler, now)
