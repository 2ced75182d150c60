"""Setting right what was written down of an open case; a change of whom it is against re-evaluates the guard (TR-11).

The level only rises. Whoever must not have the case any more loses it in the same transaction, and the new
``hidden_from`` goes out with the next word about the case, so that every service hides it from then on (decision 13).
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

from chassis.errors import Conflict, Forbidden, Invalid, NotFound
from chassis.people.guard import as_columns
from chassis.runtime import Context
from chassis.web import etag
from chassis.web.principal import Principal
from complaint.cases.acting import announce_case, lock, record_step
from complaint.cases.assignment import barred, give, raise_level, routed
from complaint.cases.customers import known_customer
from complaint.cases.levels import decide
from complaint.cases.recognising import asked_of, earlier, grams, hidden_from
from complaint.cases.standing import facts_of
from complaint.cases.tables import Complaint
from complaint.cases.visibility import may_see
from complaint.policy import ComplaintPolicy

PLAIN = ("subject", "description", "category", "insists", "wanted", "details", "locale", "type")


def amend(context: Context, principal: Principal, complaint_id: uuid.UUID, changes: Mapping[str, Any]) -> Complaint:
    """Change an open case, by its handler, those above, or whoever recorded it.

    Raises NotFound, Conflict for a closed one, Forbidden, Invalid, and the ETag's refusals.
    """
    session, now = context.session, context.clock.now()
    case = lock(session, complaint_id)
    if not may_see(session, principal, case):
        raise NotFound(f"no complaint {complaint_id}")
    etag.require_match(case.version)
    if case.closed_at is not None:
        raise Conflict("a closed case stays as it is", current=case.status)
    facts = facts_of(context, principal, case)
    if not (facts.handles or facts.outranks or principal.username == case.created_by):
        raise Forbidden("for the handler, those above, and whoever recorded it")
    policy = context.policies.in_force()
    rules: ComplaintPolicy = policy.rules
    hidden_before = (case.hidden_alone, case.hidden_with_subordinates)
    _write(context, case, changes, rules)
    record_step(
        context, case, "amend", by=principal.username, at=now, clause=rules.record.clause,
        data={"changed": sorted(changes)},
    )  # fmt: skip
    _re_evaluate(context, case, rules, principal.username)
    if (case.hidden_alone, case.hidden_with_subordinates) != hidden_before:
        announce_case(
            context, case, "assigned", at=now, previous_handler=case.handler, clause=rules.record.clause,
            by=principal.username,
        )  # fmt: skip
    case.version += 1
    session.flush()
    return case


def _write(context: Context, case: Complaint, changes: Mapping[str, Any], rules: ComplaintPolicy) -> None:
    session = context.session
    category = changes.get("category")
    if category is not None and not rules.categories.known(category):
        raise Invalid("no such category", {"category": [f"one of: {', '.join(rules.categories.codes)}"]})
    for name in PLAIN:
        if name in changes:
            setattr(case, name, changes[name])
    if "value" in changes:
        value = changes["value"] or {}
        case.value, case.currency = value.get("amount"), value.get("currency")
    if changes.get("customer_id") is not None:
        customer = known_customer(session, changes["customer_id"])
        case.customer_id = customer.id if customer else changes["customer_id"]
        case.verified, case.anonymous = customer is not None, False
        case.grade_rank = rules.queue.rank(customer.grade if customer else None)
    if "against" in changes:
        against = changes["against"] or {}
        case.against_kind, case.against_ref = against.get("kind"), against.get("ref")
        hidden = as_columns(hidden_from(session, changes["against"]))
        case.hidden_alone = hidden["hidden_alone"]
        case.hidden_with_subordinates = hidden["hidden_with_subordinates"]
    case.grams = grams(case.number, case.subject, case.description[:2000], case.against_ref)


def _re_evaluate(context: Context, case: Complaint, rules: ComplaintPolicy, by: str) -> None:
    """Its level rises where the rules now say so; a handler who must not have it gives it up."""
    from complaint.clocks.use_cases import follow  # noqa: PLC0415 - clocks announce through cases

    session, now = context.session, context.clock.now()
    decided = decide(asked_of(session, case, earlier(session, case, rules)), rules)
    if decided.level > case.level:
        raise_level(
            context, case, decided.level, clause=decided.clause, because=decided.because, policy=rules, at=now, by=by
        )
        follow(context, case, "amend", now, rules)
    if case.handler is not None and case.handler in barred(session, case):
        found = routed(context, case, case.handler_role, rules, exclude={case.handler})
        give(context, case, found, by=by, at=now, clause="TR-11")
