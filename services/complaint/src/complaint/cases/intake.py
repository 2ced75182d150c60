"""Receiving a case: who says what of whom, its number, level, handler and clocks, in one transaction (CG-13, ML-02).

Nobody is turned away: a customer we don't know yet stays unverified until the registry tells of them (decision 28), an
unknown unit is kept as said. The case is in somebody's hands before the answer goes out.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select

from chassis.errors import Forbidden, Invalid
from chassis.ids import uuid7
from chassis.people import UnitRow
from chassis.people.guard import as_columns
from chassis.runtime import Context
from chassis.storage import numbers
from chassis.web.fields import instant
from chassis.web.principal import ADMINISTRATOR, Principal, closed
from complaint.cases.acting import SYSTEM, announce_case, clocks_said, record_step
from complaint.cases.assignment import give, routed
from complaint.cases.customers import known_customer, matched_customer
from complaint.cases.levels import decide
from complaint.cases.lifecycle import RECEIVED
from complaint.cases.recognising import asked_of, contact_key, earlier, grams, hidden_from, new_number, unit_of
from complaint.cases.tables import Complaint, CustomerCopy
from complaint.policy import ComplaintPolicy

SERIES = "complaint"


def receive(context: Context, principal: Principal, said: Mapping[str, Any]) -> Complaint:
    """Open a case. ``said``: the body of ``POST complaints``. Raises Invalid by field, Forbidden (back-dated)."""
    from complaint.clocks.use_cases import follow  # noqa: PLC0415 - clocks announce through cases

    session, now = context.session, context.clock.now()
    received_at = said.get("received_at") or now
    policy = context.policies.in_force(received_at)
    rules: ComplaintPolicy = policy.rules
    _check(said, rules)
    _check_time(principal, received_at, now, rules)
    case = _written(context, principal, said, rules, received_at, now)
    case.policyversion = policy.version
    before = earlier(session, case, rules)
    case.repeat_of = before.id if before else None
    decided = decide(asked_of(session, case, before), rules)
    case.level, case.level_reason, case.handler_role = decided.level, decided.as_reason(), decided.handler
    to = routed(context, case, decided.handler, rules)
    case.handler = to.handler
    year = now.astimezone(rules.company.time_zone).year
    case.number = new_number(year, numbers.take(session, f"{SERIES}:{year}")[0])
    case.grams = grams(case.number, case.subject, case.description[:2000], case.against_ref)
    with session.no_autoflush:  # the row is written once, with its clocks, and then once more with its last version
        session.add(case)
        record_step(
            context, case, "receive", by=principal.username, at=now, clause=rules.record.clause,
            data={"received_at": instant(received_at), "channel": case.channel, "level": case.level_reason},
        )  # fmt: skip
        follow(context, case, "receive", received_at, rules)
        session.flush()
        announce_case(
            context, case, "received", at=now, received_at=instant(received_at), clocks=clocks_said(session, case),
            by=principal.username,
        )  # fmt: skip
        case.handler = None
        give(context, case, to, by=SYSTEM, at=now, clause=decided.clause, note=decided.because)
    session.flush()
    return case


def _written(
    context: Context,
    principal: Principal,
    said: Mapping[str, Any],
    rules: ComplaintPolicy,
    received_at: datetime,
    now: datetime,
) -> Complaint:
    session, keys = context.session, context.runtime.settings.field_keys
    who = said.get("complainant") or {}
    phone, email = who.get("phone"), who.get("email")
    customer = known_customer(session, said.get("customer_id"))
    if said.get("customer_id") is None and not said.get("anonymous"):
        customer = matched_customer(session, keys, phone, email)
    customer_id: uuid.UUID | None = customer.id if customer else said.get("customer_id")
    against = said.get("against") or {}
    value = said.get("value") or {}
    unit, unit_path = _unit(context, principal, said, customer, rules)
    return Complaint(
        id=uuid7(now),
        type=said["type"],
        channel=said["channel"],
        status=RECEIVED,
        round=1,
        category=said.get("category"),
        subject=said["subject"],
        description=said["description"],
        wanted=said.get("wanted"),
        details=dict(said.get("details") or {}),
        insists=bool(said.get("insists")),
        value=value.get("amount"),
        currency=value.get("currency"),
        customer_id=customer_id,
        verified=customer is not None,
        anonymous=customer_id is None and not who,
        complainant_name=who.get("name"),
        complainant_phone=phone,
        complainant_email=email,
        complainant_key=contact_key(keys, phone, email),
        locale=said.get("locale") or (customer.locale if customer else None),
        against_kind=against.get("kind"),
        against_ref=against.get("ref"),
        unit=unit,
        unit_path=unit_path,
        grade_rank=rules.queue.rank(customer.grade if customer else None),
        received_at=received_at,
        created_at=now,
        created_by=principal.username,
        version=0,
        breached=False,
        executive=False,
        approval_needed=False,
        **as_columns(hidden_from(session, said.get("against"))),
    )


def _check(said: Mapping[str, Any], rules: ComplaintPolicy) -> None:
    errors: dict[str, list[str]] = {}
    if said["channel"] not in rules.channels.accepted:
        errors["channel"] = [f"one of: {', '.join(rules.channels.accepted)}"]
    category = said.get("category")
    if category is not None and not rules.categories.known(category):
        errors["category"] = [f"one of: {', '.join(rules.categories.codes)}"]
    nameless = said.get("customer_id") is None and not said.get("complainant")
    if nameless and not rules.channels.anonymous:
        errors["complainant"] = ["say who complains: this company takes no anonymous ones"]
    if said.get("anonymous") and not nameless:
        errors["anonymous"] = ["an anonymous case names neither customer nor complainant"]
    for name in rules.record.required:
        if name in ("category", "wanted", "value", "against") and said.get(name) is None:
            errors.setdefault(name, ["the form needs it"])
    if errors:
        raise Invalid("Some fields are not valid", errors, clause=rules.record.clause)


def _check_time(principal: Principal, received_at: datetime, now: datetime, rules: ComplaintPolicy) -> None:
    """The morning's letters may be typed in with the time they came, by the roles that the pack names (decision 27)."""
    window, zone = rules.company.event_window, rules.company.time_zone
    if not window.contains(received_at, now, zone):
        raise Invalid("that time can't be", {"received_at": [f"at most {window.back} back, and not in the future"]})
    may = rules.channels.backdated_by | {ADMINISTRATOR}
    if window.ahead.before(now, zone) > received_at and not may & principal.roles:
        raise Forbidden(
            f"a time in the past is given by: {', '.join(sorted(rules.channels.backdated_by))}",
            clause=rules.channels.clause,
        )


def _unit(
    context: Context,
    principal: Principal,
    said: Mapping[str, Any],
    customer: CustomerCopy | None,
    rules: ComplaintPolicy,
) -> tuple[str | None, str]:
    """Where a case belongs: as said, else where what it is against is, else the customer's unit, else the writer's."""
    session = context.session
    against = said.get("against") or {}
    place = against.get("ref") if against.get("kind") in ("store", "department") else None
    named = said.get("unit") or (rules.company.stores.get(place, place) if place else None)
    if named is not None:
        found = unit_of(session, named)
        return (found.code, found.path) if found else (named, "/")
    if customer is not None and (found := unit_of(session, customer.unit)) is not None:
        return found.code, found.path
    if principal.kind == "staff" and principal.unit_path not in ("/", "/-/"):
        own = session.scalar(select(UnitRow).where(UnitRow.path == closed(principal.unit_path)))
        return (own.code if own else None), principal.unit_path
    return None, "/"
