"""What happened, what is done about it, who may grant it, and what the customer is told (CG-15, TR-19, ML-02)."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from sqlalchemy import select

from chassis.errors import Conflict, Forbidden
from chassis.ids import uuid7
from complaint.cases.assignment import route
from complaint.cases.standing import approves_alone
from complaint.links.domain import ANSWER
from complaint.links.use_cases import issue
from complaint.resolution.domain import APPROVED, CARRIED_OUT, NEEDS_APPROVAL, OPEN, SUPERSEDED, Grant
from complaint.resolution.granting import asked_for, described, pay, ruling
from complaint.resolution.tables import Proposal
from complaint.satisfaction.rounds import the_round

if TYPE_CHECKING:
    from complaint.cases.acting import Act

PROPOSED = "proposed"  # of the case; the others are states of a proposal
IN_FORCE = (NEEDS_APPROVAL, OPEN, APPROVED)


def investigate(act: Act) -> None:
    """Find the cause and who is responsible (TR-19), on the form of this round. A proposal made before is off."""
    _supersede(act)
    form = the_round(act.session, act.case, act.at)
    form.cause, form.cause_note = act.body["cause"], act.body["note"]
    form.responsible = list(act.body.get("responsible") or ())
    form.investigated_by, form.investigated_at = act.by.username, act.at
    act.case.cause = form.cause
    act.note = form.cause_note
    act.data = {"cause": form.cause, "responsible": form.responsible}


def propose(act: Act) -> None:
    """Lay a proposal on the table, in the place of an earlier one. Above one's authority it waits for who may (ML-02).

    What counts is everything the case would then have been granted, whoever granted the rest.
    """
    case = act.case
    grant = asked_for(act.body.get("compensation"), case, act.policy)
    ruled = ruling(grant, case, act.by, act.policy)
    _supersede(act)
    approver = None
    if not ruled.within and ruled.may:
        approver = route(act.context, case, ruled.may[0], act.policy, exclude={act.by.username})
    act.session.add(
        Proposal(
            id=uuid7(act.at),
            complaint_id=case.id,
            round=case.round,
            measures=act.body["measures"],
            points=grant.points,
            amount=grant.amount,
            currency=grant.currency,
            value=grant.value,
            summed=ruled.summed,
            status=OPEN if ruled.within else NEEDS_APPROVAL,
            may=list(ruled.may),
            approver=approver,
            because=ruled.because,
            clause=act.policy.compensation.clause,
            policyversion=act.policyversion,
            proposed_by=act.by.username,
            proposed_at=act.at,
        )
    )
    case.approval_needed, case.proposed_by = not ruled.within, act.by.username
    act.note = act.body["measures"]
    act.data = {"approval_needed": not ruled.within, "because": ruled.because}
    if not grant.nothing:
        act.data["compensation"] = described(grant)
    if not ruled.within:
        act.data["approval"] = {"may": list(ruled.may), "approver": approver}


def approve(act: Act) -> None:
    """A second person with sufficient authority agrees. Raises Forbidden with the roles that may, else."""
    proposal = _in_force(act)
    if proposal is None or proposal.status != NEEDS_APPROVAL:
        raise Conflict("there is no proposal that waits for an approval", current=act.case.status)
    if act.by.kind != "staff":
        raise Forbidden("only a person approves", may=proposal.may)
    alone = act.by.username == proposal.proposed_by
    if alone and not approves_alone(act.session, act.by, act.policy):
        raise Forbidden("nobody approves their own proposal", may=proposal.may, clause="ML-02")
    ruled = ruling(_grant_of(proposal), act.case, act.by, act.policy, approving=True)
    if not ruled.within:
        raise Forbidden(ruled.because, may=list(ruled.may), clause=proposal.clause)
    proposal.status, proposal.alone = APPROVED, alone
    proposal.approved_by, proposal.approved_at = act.by.username, act.at
    proposal.summed = ruled.summed
    act.note = act.body.get("note")
    act.data = {"proposed_by": proposal.proposed_by, "because": ruled.because}
    if alone:
        act.data["single_administrator"] = True


def resolve(act: Act) -> None:
    """Carry out what was proposed, tell the customer, and ask them: the call-back is due from now (decision 27)."""
    case = act.case
    proposal = _in_force(act)
    if proposal is not None and case.status in (PROPOSED, APPROVED):
        _carry_out(act, proposal)
    form = the_round(act.session, case, act.at)
    form.handler, form.handler_role = case.handler, case.handler_role
    form.resolved_by, form.resolved_at, form.answer = act.by.username, act.at, act.body["answer"]
    form.level = case.level
    case.resolved_at = act.at
    case.approval_needed = False
    act.note = form.answer
    act.say("resolved", answer=form.answer, by=act.by.username)
    issue(act.context, case, ANSWER, act.policy, act.at)


def compensate(act: Act) -> None:
    """Grant something at once, beside any proposal, within one's own authority over the whole case."""
    grant = asked_for(act.body, act.case, act.policy)
    ruled = ruling(grant, act.case, act.by, act.policy)
    if not ruled.within:
        raise Forbidden(ruled.because, may=list(ruled.may), clause=act.policy.compensation.clause)
    act.note = act.body.get("reason") or act.body.get("note")
    act.data = {"because": ruled.because}
    pay(act, grant, proposal_id=None, approved_by=None, reason=act.note)


def _carry_out(act: Act, proposal: Proposal) -> None:
    grant = _grant_of(proposal)
    if not grant.nothing:
        if Decimal(act.case.compensated) + grant.value > proposal.summed:
            # Something else was granted since: what was agreed to is no longer what the case would cost.
            raise Conflict(
                "the case was granted more since this was proposed; propose again",
                current=act.case.status, granted=f"{act.case.compensated:.2f}",
            )  # fmt: skip
        pay(
            act, grant, proposal_id=proposal.id, approved_by=proposal.approved_by or proposal.proposed_by,
            reason=proposal.measures,
        )  # fmt: skip
    proposal.status = CARRIED_OUT


def _supersede(act: Act) -> None:
    proposal = _in_force(act)
    if proposal is not None:
        proposal.status = SUPERSEDED
        act.case.approval_needed, act.case.proposed_by = False, None
        act.session.flush()  # before a new one: one proposal of a case is in force


def _in_force(act: Act) -> Proposal | None:
    found = select(Proposal).where(Proposal.complaint_id == act.case.id, Proposal.status.in_(IN_FORCE))
    return act.session.scalar(found)


def _grant_of(proposal: Proposal) -> Grant:
    return Grant(proposal.points, proposal.amount, proposal.currency, proposal.value)
