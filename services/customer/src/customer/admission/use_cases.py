"""Putting a customer on the blacklist and taking them off it, two persons each way (AD-05, AD-06).

A proposal only asks. What is carried out on approval finds the customer as they are then: an entry that somebody
else made or lifted in between refuses the second one.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.approvals.use_cases import ApprovalRow, content_hash
from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.timing import due
from chassis.web.fields import instant
from customer.admission.domain import EVALUATION_DUE, IN_FORCE, LIFTED, standing_of, trade_of
from customer.admission.queries import open_entries
from customer.admission.tables import BlacklistEntryRow
from customer.archive.use_cases import remember
from customer.registry.tables import CustomerRow
from customer.registry.use_cases import announce_state, lock_customer
from customer.segmentation.regrading import set_grade

EXPIRY = "blacklist-expiry"
BLACKLIST = "blacklist"
REINSTATE = "reinstate"


def blacklisting(context: Context, customer_id: UUID, command: Mapping[str, Any]) -> dict[str, Any]:
    """What is proposed when somebody asks to blacklist a customer: the whole entry, so that the second person sees it.

    A unit's entry ends after the pack's time, or sooner; a company's stands until lifted (AD-06). Raises Invalid for
    a longer time, Conflict when the same scope is listed already.
    """
    policy = context.policies.in_force()
    now = context.clock.now()
    since = command.get("from_") or now
    if since > now:
        raise Invalid("The term does not fit", {"from": ["must not lie in the future"]})
    unit = command.get("unit") if command["scope"] == "unit" else None
    _refuse_second(context.session, customer_id, unit)
    return {
        "entry": str(uuid7(now)),
        "customer_id": str(customer_id),
        "scope": command["scope"],
        "unit": unit,
        "reason": command["reason"],
        "evidence": command.get("evidence") or [],
        "since": instant(since),
        "until": _until(policy, command, since),
        "clause": policy.rules.blacklist.clause,
        "policyversion": policy.version,
    }


def blacklist_customer(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """The second person agreed: the entry is in force, everybody is told, and its end is awaited."""
    session, policy = context.session, context.policies.in_force()
    customer = lock_customer(session, UUID(content["customer_id"]))
    _refuse_second(session, customer.id, content["unit"])
    proposer, approver = _signatures(session, BLACKLIST, content)
    entry = BlacklistEntryRow(
        id=UUID(content["entry"]),
        customer_id=customer.id,
        scope=content["scope"],
        unit=content["unit"],
        reason=content["reason"],
        evidence=content["evidence"],
        status=IN_FORCE,
        since=datetime.fromisoformat(content["since"]),
        until=datetime.fromisoformat(content["until"]) if content["until"] else None,
        clause=content["clause"],
        policyversion=content["policyversion"],
        proposed_by=proposer,
        approved_by=approver,
    )
    session.add(entry)
    session.flush()
    if entry.until is not None:
        due.schedule(session, EXPIRY, str(entry.id), entry.until)
    _stand_anew(context, customer)
    said = {name: content[name] for name in ("scope", "unit", "reason", "until", "clause")}
    said = {**said, "from": content["since"]}
    remember(
        session, customer.id, "standing", "customer.blacklisted", context.clock.now(), {**said, "approved_by": approver}
    )
    more = {"blacklist_id": str(entry.id), "blacklisting": said}
    announce_state(session, "customer.blacklisted.v1", customer, policy, more)
    return {"entry": str(entry.id), "standing": customer.standing}


def let_blacklisting_lapse(context: Context, row: due.DueRow) -> None:
    """The entry's time is up: nobody may trade again by that alone, an evaluation is due (AD-06)."""
    session = context.session
    known = session.get(BlacklistEntryRow, UUID(row.key))
    if known is None:
        return
    customer = lock_customer(session, known.customer_id)
    entry = session.get_one(BlacklistEntryRow, known.id, populate_existing=True)
    if entry.status != IN_FORCE:
        return
    entry.status = EVALUATION_DUE
    session.flush()
    _stand_anew(context, customer)
    said = {"scope": entry.scope, "unit": entry.unit, "clause": entry.clause}
    remember(session, customer.id, "standing", "customer.evaluation_due", context.clock.now(), said)
    reason = "the blacklisting has lapsed; a new evaluation is due"
    announce_state(
        session,
        "customer.updated.v1",
        customer,
        context.policies.in_force(),
        {"changed": ["standing"], "reason": reason},
    )


def reinstatement(session: Session, customer_id: UUID, command: Mapping[str, Any]) -> dict[str, Any]:
    """What is proposed when somebody asks to take an entry off: which, what has changed, how it was evaluated.

    Raises NotFound when nothing is listed in that scope, Invalid when it must be said which entry is meant.
    """
    c = BlacklistEntryRow
    statement = select(c).where(c.customer_id == customer_id, c.status != LIFTED).order_by(c.id)
    if command.get("entry") is not None:
        statement = statement.where(c.id == command["entry"])
    if command.get("unit") is not None:
        statement = statement.where(c.unit == command["unit"])
    entries = list(session.scalars(statement))
    if not entries:
        raise NotFound("The customer is on no such blacklist")
    if len(entries) > 1:
        raise Invalid("The customer is on several blacklists", {"entry": ["say which entry, or its unit"]})
    return {
        "entry": str(entries[0].id),
        "customer_id": str(customer_id),
        "scope": entries[0].scope,
        "unit": entries[0].unit,
        "reason": command["reason"],
        "evaluation": command.get("evaluation"),
    }


def reinstate_customer(context: Context, content: dict[str, Any]) -> dict[str, Any]:
    """The second person agreed: they may trade again, from the pack's re-entry grade on (AD-06)."""
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    customer = lock_customer(session, UUID(content["customer_id"]))
    entry = session.get_one(BlacklistEntryRow, UUID(content["entry"]), with_for_update=True)
    if entry.status == LIFTED:
        raise Conflict("This entry was lifted already", state=entry.status)
    proposer, approver = _signatures(session, REINSTATE, content)
    entry.status, entry.lifted_at, entry.lifted_by = LIFTED, now, approver
    entry.lift = {"reason": content["reason"], "evaluation": content["evaluation"], "proposed_by": proposer}
    session.flush()
    due.cancel(session, EXPIRY, str(entry.id))
    _stand_anew(context, customer)
    rules = policy.rules.blacklist
    said = {"scope": entry.scope, "reason": content["reason"], "clause": rules.clause}
    remember(
        session,
        customer.id,
        "standing",
        "customer.reinstated",
        now,
        {**said, "unit": entry.unit, "approved_by": approver},
    )
    more = {**said, "blacklist_id": str(entry.id), "reinstated_at": instant(now)}
    announce_state(session, "customer.reinstated.v1", customer, policy, more)
    set_grade(context, customer, rules.reentry_grade, rules.clause, "re-entry after blacklisting")
    return {"entry": str(entry.id), "standing": customer.standing}


def _until(policy: Policy, command: Mapping[str, Any], since: datetime) -> str | None:
    longest = policy.rules.blacklist.valid_for[command["scope"]]
    wanted = command.get("until")
    if longest is None:
        if wanted is not None:
            raise Invalid(
                "The term does not fit", {"until": ["an entry of the company stands until lifted: leave it out"]}
            )
        return None
    ends = longest.after(since, policy.company.time_zone)
    if wanted is None:
        return instant(ends)
    if not since < wanted <= ends:
        raise Invalid("The term does not fit", {"until": [f"must lie after the beginning and at most {longest} later"]})
    return instant(wanted)


def _refuse_second(session: Session, customer_id: UUID, unit: str | None) -> None:
    if any(entry.unit == unit for entry in open_entries(session, customer_id)):
        raise Conflict(
            "The customer is on this blacklist already", scope="company" if unit is None else "unit", unit=unit
        )


def _stand_anew(context: Context, customer: CustomerRow) -> None:
    """Their standing as the entries now say; they cannot be changed meanwhile, the customer is locked."""
    customer.standing = standing_of(customer.status, open_entries(context.session, customer.id))
    customer.trade = trade_of(customer.standing)
    customer.version += 1
    customer.updated_at = context.clock.now()
    context.session.flush()


def _signatures(session: Session, kind: str, content: dict[str, Any]) -> tuple[str, str]:
    """Who proposed and who approved exactly this content."""
    c = ApprovalRow
    mine = select(c.proposed_by_name, c.decided_by_name).where(c.kind == kind, c.content_hash == content_hash(content))
    row = session.execute(mine.order_by(c.id.desc()).limit(1)).one()
    return row[0], row[1] or row[0]
