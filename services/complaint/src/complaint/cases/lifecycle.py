"""The one table of a case's life: what may be done in which state, by whom, and where it leads (LQ-08, IS-03).

The code, the API's ``allowed`` and the documents' diagram all come from ``LIFECYCLE``. Pure: it takes facts and
answers. A row whose outcome the table leaves open (triage, call-back, resume) names the states it may lead to; the
action's effect says which.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from chassis.errors import Conflict

RECEIVED, ACKNOWLEDGED, TRIAGED, INVESTIGATING = "received", "acknowledged", "triaged", "investigating"
PROPOSED, APPROVED, RESOLVED, CALLING_BACK = "proposed", "approved", "resolved", "calling_back"
UNFOUNDED, WAITING, CLOSED, WITHDRAWN = "unfounded", "waiting_for_customer", "closed", "withdrawn"

STATES = (
    RECEIVED, ACKNOWLEDGED, TRIAGED, INVESTIGATING, PROPOSED, APPROVED, RESOLVED, CALLING_BACK, UNFOUNDED, WAITING,
    CLOSED, WITHDRAWN,
)  # fmt: skip
FINAL = (CLOSED, WITHDRAWN)
BY_ITSELF = {RESOLVED: CALLING_BACK}  # decision 27: the call-back is due from the moment of resolution
WORKING = (ACKNOWLEDGED, TRIAGED, INVESTIGATING, PROPOSED, APPROVED)  # what a customer may be waited for in
IN_HAND = (RECEIVED, *WORKING, UNFOUNDED, WAITING)  # with its handler, not yet answered
OPEN = (*IN_HAND, CALLING_BACK)


class IllegalTransition(Conflict):
    """The case's state forbids it: 409 with the state and with what is allowed instead."""


@dataclass(frozen=True)
class Facts:
    """What the table needs to know of a case and of the one who asks."""

    # of the case
    level: int = 1
    round: int = 1
    type: str = "complaint"
    approval_needed: bool = False
    # of the caller
    handles: bool = False  # is the handler, or the deputy of a handler who is away
    outranks: bool = (
        False  # holds a role of the ladder above the handler's (at its top: that role), or is administrator
    )
    manages: bool = False  # holds a role of the ladder above its first
    on_ladder: bool = False  # holds any role of the ladder
    authorised: bool = False  # holds a role whose limit suffices for the proposal that waits
    proposed: bool = False  # made the proposal that is on the table
    calls_back: bool = False  # may ask customers for their satisfaction
    system: bool = False  # this service or the portal, on behalf of the customer


Who = Callable[[Facts], bool]
Guard = Callable[[Facts], bool]


def case_handler(facts: Facts) -> bool:
    """The handler, or those above."""
    return facts.handles or facts.outranks


def superior(facts: Facts) -> bool:
    """Those who may give a case to somebody."""
    return facts.manages or facts.outranks


def eligible_approver(facts: Facts) -> bool:
    """Somebody of the ladder who did not propose (ML-02); the effect says whether their limit suffices."""
    return (facts.on_ladder or facts.outranks) and not facts.proposed


def anyone_but_the_handler(facts: Facts) -> bool:
    """The independent voice that calls back (TR-19), or the customer through the portal."""
    return facts.system or (facts.calls_back and not facts.handles)


def always(facts: Facts) -> bool:
    """In that state without further condition."""
    return True


def needs_no_approval(facts: Facts) -> bool:
    """A proposal within its proposer's authority."""
    return not facts.approval_needed


def needs_approval(facts: Facts) -> bool:
    """A proposal beyond its proposer's authority."""
    return facts.approval_needed


def authorised(facts: Facts) -> bool:
    """Approving is offered only to whom it would not be refused for its amount."""
    return facts.authorised


def on_the_spot(facts: Facts) -> bool:
    """What can be solved on the spot is solved on the spot (CG-15): a first-level matter, or no complaint at all."""
    return facts.round == 1 and (facts.level == 1 or facts.type not in ("complaint", "report"))


@dataclass(frozen=True)
class Row:
    """In ``sources``, ``who`` may do ``action``; it leads to ``to``, or to one of ``to`` as the effect says."""

    sources: tuple[str, ...]
    action: str
    to: tuple[str, ...]  # empty: the state stays
    who: Who
    clause: str
    when: Guard = always
    offered: Guard = always  # not among what is allowed for whom the effect would refuse, and can say better why


def row(
    sources: str | tuple[str, ...],
    action: str,
    to: str | tuple[str, ...],
    who: Who,
    clause: str,
    when: Guard = always,
    offered: Guard = always,
) -> Row:
    """A line of the table, as short as it is said."""
    return Row((sources,) if isinstance(sources, str) else sources, action, (to,) if isinstance(to, str) else to,
               who, clause, when, offered)  # fmt: skip


class Lifecycle:
    """The table, and the questions that are asked of it."""

    def __init__(self, *rows: Row) -> None:
        self.rows = rows
        self.actions = tuple(dict.fromkeys(row.action for row in rows))

    def __iter__(self) -> Iterator[Row]:
        return iter(self.rows)

    def possible(self, status: str, facts: Facts) -> list[str]:
        """What this state allows, whoever asks."""
        return self._actions(one for one in self.rows if status in one.sources and one.when(facts))

    def allowed(self, status: str, facts: Facts) -> list[str]:
        """What the caller may do now."""
        return self._actions(
            one
            for one in self.rows
            if status in one.sources and one.when(facts) and one.who(facts) and one.offered(facts)
        )

    def find(self, status: str, action: str, facts: Facts) -> Row:
        """The row of an action. Raises IllegalTransition with what the caller may do instead."""
        for one in self.rows:
            if one.action == action and status in one.sources and one.when(facts):
                return one
        raise IllegalTransition(
            f"a case that is {status} can't {action}", current=status, allowed=self.allowed(status, facts)
        )

    @staticmethod
    def _actions(rows: Iterator[Row] | Any) -> list[str]:
        return list(dict.fromkeys(one.action for one in rows))


STAYS: Sequence[str] = ()

LIFECYCLE = Lifecycle(
    #   from                                action         to                          who                     clause
    row(RECEIVED,                           "acknowledge", ACKNOWLEDGED,               case_handler,           "CG-13"),
    row((*IN_HAND, CALLING_BACK),           "contact",     (),                         case_handler,           "FR-04"),
    row(IN_HAND,                            "progress",    (),                         case_handler,           "FR-06"),
    row(ACKNOWLEDGED,                       "triage",      (TRIAGED, UNFOUNDED),       case_handler,           "LQ-08"),
    row(IN_HAND,                            "assign",      (),                         superior,               "CG-13"),
    row((TRIAGED, INVESTIGATING, PROPOSED), "investigate", INVESTIGATING,              case_handler,           "CG-14"),
    row((INVESTIGATING, PROPOSED, APPROVED), "propose",    PROPOSED,                   case_handler,           "LQ-08"),
    row(PROPOSED,                           "approve",     APPROVED,                   eligible_approver,      "LQ-08",
        needs_approval, authorised),
    row(TRIAGED,                            "resolve",     RESOLVED,                   case_handler,           "CG-15",
        on_the_spot),
    row(PROPOSED,                           "resolve",     RESOLVED,                   case_handler,           "LQ-08",
        needs_no_approval),
    row(APPROVED,                           "resolve",     RESOLVED,                   case_handler,           "LQ-08"),
    row(UNFOUNDED,                          "resolve",     RESOLVED,                   case_handler,           "LQ-08"),
    row(CALLING_BACK,                       "attempt",     (CALLING_BACK, CLOSED),     anyone_but_the_handler, "CG-16"),
    row(CALLING_BACK,                       "callback",    (CLOSED, INVESTIGATING),    anyone_but_the_handler, "FR-08"),
    row(IN_HAND,                            "promise",     (),                         case_handler,           "CG-15"),
    row(WORKING,                            "wait",        WAITING,                    case_handler,           "CG-14"),
    row(WAITING,                            "resume",      WORKING,                    case_handler,           "CG-14"),
    row((ACKNOWLEDGED, TRIAGED, INVESTIGATING), "unfounded", UNFOUNDED,                case_handler,           "LQ-08"),
    row((INVESTIGATING, PROPOSED, APPROVED, CALLING_BACK), "compensate", (),           case_handler,           "CG-15"),
    row(OPEN,                               "withdraw",    WITHDRAWN,                  case_handler,           "LQ-08"),
    row(IN_HAND,                            "escalate",    (),                         case_handler,           "FR-02"),
    row(FINAL,                              "reopen",      INVESTIGATING,              superior,               "CG-16"),
)  # fmt: skip


def allowed(status: str, facts: Facts) -> list[str]:
    """What the caller may do in this state, in the order of the table."""
    return LIFECYCLE.allowed(status, facts)
