"""The one place where an action's name meets its body and its effect, whichever feature's folder it lives in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chassis.web import Schema
from complaint.cases import effects, schemas
from complaint.cases.acting import Effect
from complaint.clocks import effects as clocks
from complaint.resolution import effects as resolution
from complaint.satisfaction import effects as satisfaction


@dataclass(frozen=True)
class Action:
    """What the caller says with it, and what it does beside moving the case."""

    schema: type[Schema]
    effect: Effect
    permission: str = "complaints:act"
    moves_value: bool = False  # then the POST needs an Idempotency-Key, and keeps it for ever


CALLS = "complaints:call-back"

ACTIONS: Mapping[str, Action] = {
    "acknowledge": Action(schemas.EmptySchema, effects.acknowledge),
    "contact": Action(schemas.ContactSchema, effects.contact),
    "progress": Action(schemas.ProgressSchema, effects.progress),
    "triage": Action(schemas.TriageSchema, effects.triage),
    "assign": Action(schemas.AssignSchema, effects.assign),
    "investigate": Action(schemas.InvestigateSchema, resolution.investigate),
    "propose": Action(schemas.ProposeSchema, resolution.propose),
    "approve": Action(schemas.AgreeSchema, resolution.approve),
    "resolve": Action(schemas.ResolveSchema, resolution.resolve),
    "compensate": Action(schemas.CompensateSchema, resolution.compensate, moves_value=True),
    "attempt": Action(schemas.AttemptSchema, satisfaction.attempt, CALLS),
    "callback": Action(schemas.AnswerToCallBackSchema, satisfaction.callback, CALLS),
    "promise": Action(schemas.PromiseSchema, clocks.promise),
    "wait": Action(schemas.WaitSchema, effects.wait),
    "resume": Action(schemas.EmptySchema, effects.resume),
    "unfounded": Action(schemas.ReasonSchema, effects.unfounded),
    "withdraw": Action(schemas.ReasonSchema, effects.withdraw),
    "escalate": Action(schemas.ReasonSchema, effects.hand_up),
    "reopen": Action(schemas.ReasonSchema, effects.reopen),
}
