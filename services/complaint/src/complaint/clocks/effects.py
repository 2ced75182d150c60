"""What the action ``promise`` does to a case."""

from __future__ import annotations

from chassis.web.fields import instant
from complaint.cases.acting import Act
from complaint.clocks import use_cases


def promise(act: Act) -> None:
    """A date is given to the customer, with the reason; it is tracked from now on (CG-15, ML-14)."""
    due_at, reason = act.body["due_at"], act.body["reason"]
    clock = use_cases.promise(act.context, act.case, due_at, reason, act.by.username, act.at, act.policy)
    act.note, act.data = reason, {"due_at": instant(due_at), "clock": str(clock.id)}
