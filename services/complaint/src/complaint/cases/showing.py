"""How a case is shown: in a list, in full, and with contacts masked for those who only look."""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy.orm import Session

from chassis.people.guard import as_hidden_from
from chassis.runtime import Context
from chassis.web.principal import AUDITOR, Principal
from complaint.cases.lifecycle import LIFECYCLE
from complaint.cases.queries import customers_of
from complaint.cases.standing import Beside, facts_of
from complaint.cases.tables import Complaint, CustomerCopy, Step
from complaint.cases.visibility import may_see

_LINE = (
    "id", "number", "type", "channel", "status", "level", "round", "category", "subject", "customer_id", "verified",
    "anonymous", "unit", "handler", "handler_role", "received_at", "next_due_at", "breached", "executive", "closed_at",
    "outcome", "satisfaction",
)  # fmt: skip
_REST = (
    "description", "wanted", "details", "insists", "locale", "level_reason", "department", "founded", "cause",
    "waiting_from", "approval_needed", "proposed_by", "compensated", "created_at", "created_by",
    "acknowledged_at", "first_contacted_at", "resolved_at", "policyversion", "version",
)  # fmt: skip
OPEN_CLOCKS = ("running", "paused", "breached")


def summaries(context: Context, principal: Principal, cases: Sequence[Complaint]) -> list[dict[str, Any]]:
    """Cases as lists show them, with the clocks that still run."""
    from complaint.clocks.showing import shown  # noqa: PLC0415 - clocks announce through cases

    customers = customers_of(context.session, cases)
    clocks = shown(context.session, [case.id for case in cases]) if cases else {}
    return [
        {
            **_line(principal, case, customers.get(case.customer_id) if case.customer_id else None),
            "clocks": [
                clock for clock in clocks.get(case.id, []) if clock["status"] in OPEN_CLOCKS and clock["met_at"] is None
            ],
        }
        for case in cases
    ]


@dataclass(frozen=True)
class Whole:
    """A case with all that is shown beside it."""

    case: Complaint
    customer: CustomerCopy | None
    clocks: Sequence[Mapping[str, Any]]
    rounds: Sequence[Mapping[str, Any]]
    beside: Beside | None = None


def full(context: Context, principal: Principal, case: Complaint) -> dict[str, Any]:
    """A case that was just changed, with everything of it and what the caller may do now."""
    from complaint.clocks.showing import shown  # noqa: PLC0415 - as above
    from complaint.satisfaction.rounds import shown as rounds  # noqa: PLC0415 - as above

    session = context.session
    customer = customers_of(session, [case]).get(case.customer_id) if case.customer_id else None
    clocks, forms = shown(session, [case.id])[case.id], rounds(session, [case.id]).get(case.id, [])
    return whole(context, principal, Whole(case, customer, clocks, forms))


def whole(context: Context, principal: Principal, found: Whole) -> dict[str, Any]:
    """A case with everything of it and what the caller may do now."""
    case, masked = found.case, only_looks(principal)
    complainant = {
        "name": case.complainant_name or (found.customer.name if found.customer else None),
        "phone": case.complainant_phone,
        "email": case.complainant_email,
    }
    return {
        **_line(principal, case, found.customer),
        **{name: getattr(case, name) for name in _REST},
        "value": None if case.value is None else {"amount": case.value, "currency": case.currency},
        "complainant": _shown_complainant(complainant, masked) if any(complainant.values()) else None,
        "against": {"kind": case.against_kind, "ref": case.against_ref} if case.against_kind else None,
        "repeat_of": _if_seen(context.session, principal, case.repeat_of),
        "hidden_from": as_hidden_from(case),
        "clocks": found.clocks,
        "rounds": found.rounds,
        "allowed": allowed_to(context, principal, case, found.beside),
    }


def _if_seen(session: Session, principal: Principal, other: uuid.UUID | None) -> uuid.UUID | None:
    """The id of another case, unless the caller must not know that it exists."""
    found = session.get(Complaint, other) if other is not None else None
    return found.id if found is not None and may_see(session, principal, found) else None


def allowed_to(context: Context, principal: Principal, case: Complaint, beside: Beside | None = None) -> list[str]:
    """The actions of the table that the caller may take now, and whose permission they hold."""
    from complaint.cases.actions import ACTIONS  # noqa: PLC0415 - the features' effects import cases

    may = LIFECYCLE.allowed(case.status, facts_of(context, principal, case, beside))
    return [action for action in may if principal.may(ACTIONS[action].permission)]


def step_shown(step: Step) -> dict[str, Any]:
    """A line of the history."""
    names = ("id", "round", "action", "from_status", "to_status", "by", "by_role", "at", "note", "data", "clause")
    return {name: getattr(step, name) for name in names}


def only_looks(principal: Principal) -> bool:
    """Whether this caller reads as an auditor and as nothing else: contacts are masked then."""
    return principal.roles == frozenset({AUDITOR})


def masked_name(name: str | None) -> str | None:
    """``王芳`` → ``王**``."""
    return None if name is None else f"{name[:1]}**"


def masked_phone(phone: str | None) -> str | None:
    """``13800138000`` → ``138****8000``."""
    if phone is None:
        return None
    return f"{phone[:3]}****{phone[-4:]}" if len(phone) >= 11 else f"{phone[:2]}****"


def masked_email(address: str | None) -> str | None:
    """``li.ming@example.com`` → ``l****@example.com``."""
    if address is None:
        return None
    local, _, domain = address.rpartition("@")
    return f"{local[:1]}****@{domain}"


def _shown_complainant(who: dict[str, str | None], masked: bool) -> dict[str, str | None]:
    if not masked:
        return who
    return {"name": masked_name(who["name"]), "phone": masked_phone(who["phone"]), "email": masked_email(who["email"])}


def _line(principal: Principal, case: Complaint, customer: CustomerCopy | None) -> dict[str, Any]:
    name = customer.name if customer else case.complainant_name
    return {
        **{field: getattr(case, field) for field in _LINE},
        "customer_name": masked_name(name) if only_looks(principal) else name,
        "grade": customer.grade if customer else None,
    }
