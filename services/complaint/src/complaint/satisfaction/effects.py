"""What the call-back does to a case: attempts counted, the answer taken, the gate asked (CG-16, FR-08, TR-19)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chassis.errors import Forbidden, Invalid
from complaint.cases.assignment import raise_level
from complaint.policy import ComplaintPolicy
from complaint.satisfaction.domain import GateRules, Verdict, gate, gives_up
from complaint.satisfaction.rounds import open_round, the_round
from complaint.satisfaction.tables import Round

if TYPE_CHECKING:
    from complaint.cases.acting import Act

CALLING_BACK, INVESTIGATING, CLOSED = "calling_back", "investigating", "closed"
CALL = "call"  # or "link", as the use case of links says
SATISFIED, NOT_REACHED = "satisfied", "not_reached"


def attempt(act: Act) -> str:
    """The customer was called and not reached; after the last attempt of the pack the case closes as not reached."""
    asked = _asked(act)
    asked.attempts += 1
    asked.last_attempt_at = act.at
    most = act.policy.satisfaction.attempts
    act.note = act.body["note"]
    act.data = {"attempt": asked.attempts, "of": most}
    if not gives_up(asked.attempts, most):
        return CALLING_BACK
    asked.because = f"not reached in {asked.attempts} attempts"
    asked.clause = act.policy.satisfaction.clause
    act.case.outcome = NOT_REACHED
    return CLOSED


def callback(act: Act) -> str:
    """Take the customer's answer: close the case, or open its next round one level up with a form of its own."""
    rules = gate_rules(act.policy)
    satisfaction = act.body["satisfaction"]
    if satisfaction not in rules.scale:
        raise Invalid("no answer of the scale", {"satisfaction": [f"one of: {', '.join(map(str, rules.scale))}"]})
    asked = _asked(act)
    verdict = gate(satisfaction, act.case.level, rules)
    _write(act, asked, verdict)
    act.case.satisfaction = satisfaction
    act.note = asked.comment
    act.data = {"satisfaction": satisfaction, "via": asked.answered_via, "because": verdict.because}
    if verdict.closes:
        act.case.outcome = SATISFIED
        return CLOSED
    _open_next_round(act, verdict)
    return INVESTIGATING


def gate_rules(policy: ComplaintPolicy) -> GateRules:
    """What the pack says of answers, for the pure rule."""
    said = policy.satisfaction
    top = max(rule.level for rule in policy.levels)
    return GateRules(said.scale, frozenset(said.closes), said.raise_by, top, said.clause)


def _asked(act: Act) -> Round:
    """The round that is being called back. Raises Forbidden for the one whose work is asked about."""
    asked = the_round(act.session, act.case, act.at)
    if act.by.username == asked.handler:
        raise Forbidden("who handled this round does not ask how satisfied the customer is", clause="TR-19")
    return asked


def _write(act: Act, asked: Round, verdict: Verdict) -> None:
    via = act.body.get("via", CALL)
    if via == CALL:  # the call that reached them counts as an attempt; a link that is answered is none
        asked.attempts += 1
        asked.last_attempt_at = act.at
    asked.reached = True
    asked.satisfaction = act.body["satisfaction"]
    asked.comment = act.body.get("comment")
    asked.answered_by = act.by.username
    asked.answered_via = via
    asked.answered_at = act.at
    asked.because = verdict.because
    asked.clause = verdict.clause


def _open_next_round(act: Act, verdict: Verdict) -> None:
    """The same case once more: a new form, nothing proposed, someone else's hands, one level up."""
    case = act.case
    case.round += 1
    case.executive = case.executive or verdict.executive
    case.approval_needed, case.proposed_by, case.cause, case.resolved_at = False, None, None, None
    raise_level(
        act.context, case, verdict.level, clause=verdict.clause, because=verdict.because, policy=act.policy, at=act.at,
        by=act.by.username, new_handler=True,
    )  # fmt: skip
    open_round(act.session, case, act.at)
