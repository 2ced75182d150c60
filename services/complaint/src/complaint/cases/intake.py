"""Receiving a case: who says what of whom, its number, level, handler and clocks, in one transaction (CG-13, ML-02).

Nobody is turned away: a customer we don't know yet stays unverified until the registry tells of them (decision 28), an
unknown unit is kept as said. The case is in somebody's hands before the answer goes out.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from chassis.errors import Forbidden, Invalid
from chassis.ids import uuid7
from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.people.guard import as_columns
from chassis.runtime import Context
from chassis.storage import numbers
from chassis.storage.writing import write_new
from chassis.web.fields import instant
from chassis.web.principal import ADMINISTRATOR, Principal, closed
from complaint.cases.acting import SYSTEM, as_said, draft_case, new_step
from complaint.cases.assignment import handed, routed
from complaint.cases.customers import known_customer, matched_customer
from complaint.cases.levels import Decision, decide
from complaint.cases.lifecycle import RECEIVED
from complaint.cases.recognising import (
    asked_of,
    contact_key,
    grams,
    hidden_from,
    latest_on,
    new_number,
    within_repeats,
)
from complaint.cases.showing import Whole
from complaint.cases.standing import Beside
from complaint.cases.surroundings import Surroundings, look_around
from complaint.cases.tables import Complaint, CustomerCopy, Step
from complaint.clocks.showing import in_order, one_shown
from complaint.clocks.use_cases import begin
from complaint.links.domain import FOLLOW
from complaint.links.tables import PersonalLink
from complaint.links.use_cases import new_link
from complaint.policy import ComplaintPolicy

SERIES = "complaint"


def receive(context: Context, principal: Principal, said: Mapping[str, Any]) -> Whole:
    """Open a case. ``said``: the body of ``POST complaints``. Raises Invalid by field, Forbidden (back-dated).

    What must be known is asked first; then the case takes its number, which others wait for until this transaction
    ends; then everything it consists of is written in one statement. Answers the case as it stands.
    """
    session, now = context.session, context.clock.now()
    received_at = said.get("received_at") or now
    policy = context.policies.in_force(received_at)
    rules: ComplaintPolicy = policy.rules
    _check(said, rules)
    _check_time(principal, received_at, now, rules)
    case, customer = _heard(context, principal, said, rules, received_at, now)
    case.policyversion = policy.version
    around = _placed(context, principal, said, case, customer, rules)
    before = latest_on(case, around.before)
    case.repeat_of = before.id if before else None
    decided = decide(asked_of(session, case, before), rules)
    case.level, case.level_reason = decided.level, decided.as_reason()
    to = routed(context, case, decided.handler, rules)
    case.handler, case.handler_role = to.handler, to.role
    clocks, due = begin(case, rules, policy.version, around.calendar)
    shown = [one_shown(clock, now, around.calendar) for clock in in_order(clocks)]
    year = now.astimezone(rules.company.time_zone).year
    case.number = new_number(year, numbers.take(session, f"{SERIES}:{year}")[0])
    case.grams = grams(case.number, case.subject, case.description[:2000], case.against_ref)
    written, events = _told(context, principal, case, decided, rules, shown, now)
    write_new(session, [case, *written, *clocks, *due, *outbox.rows(session, events)], then=outbox.HINT)
    return Whole(case, customer, shown, [], Beside(to.absence, ()))


def _told(
    context: Context,
    principal: Principal,
    case: Complaint,
    decided: Decision,
    rules: ComplaintPolicy,
    clocks: Sequence[Mapping[str, Any]],
    now: datetime,
) -> tuple[list[Step | PersonalLink], list[Event]]:
    """Its history so far and the complainant's link; and what others hear of it, in this order."""
    by, received_at = principal.username, instant(case.received_at)
    written: list[Step | PersonalLink] = [
        new_step(
            case, "receive", by=by, at=now, clause=rules.record.clause,
            data={"received_at": received_at, "channel": case.channel, "level": case.level_reason},
        )
    ]  # fmt: skip
    events = [draft_case(context, case, "received", at=now, received_at=received_at, clocks=as_said(clocks), by=by)]
    if case.handler is not None:
        step, event = handed(context, case, None, by=SYSTEM, at=now, clause=decided.clause, note=decided.because)
        written.append(step)
        events.append(event)
    if (drawn := new_link(context, case, FOLLOW, context.policies.in_force().rules, now)) is not None:
        written.append(drawn[0])
        events.append(drawn[1])
    return written, events


def _heard(
    context: Context,
    principal: Principal,
    said: Mapping[str, Any],
    rules: ComplaintPolicy,
    received_at: datetime,
    now: datetime,
) -> tuple[Complaint, CustomerCopy | None]:
    """The case as it was said, and the customer whose it is where we know them."""
    session, keys = context.session, context.runtime.settings.field_keys
    who = said.get("complainant") or {}
    phone, email = who.get("phone"), who.get("email")
    customer = known_customer(session, said.get("customer_id"))
    if said.get("customer_id") is None and not said.get("anonymous"):
        customer = matched_customer(session, keys, phone, email)
    customer_id: uuid.UUID | None = customer.id if customer else said.get("customer_id")
    against = said.get("against") or {}
    value = said.get("value") or {}
    case = Complaint(
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
    return case, customer


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


def _placed(
    context: Context,
    principal: Principal,
    said: Mapping[str, Any],
    case: Complaint,
    customer: CustomerCopy | None,
    rules: ComplaintPolicy,
) -> Surroundings:
    """Put a case where it belongs; answers what was seen there.

    As said, else where what it is against is, else the customer's unit, else the writer's.
    """
    place = case.against_ref if case.against_kind in ("store", "department") else None
    named = said.get("unit") or (rules.company.stores.get(place, place) if place else None)
    theirs = customer.unit if customer is not None else None
    own = principal.unit_path if principal.kind == "staff" and principal.unit_path not in ("/", "/-/") else None
    around = look_around(
        context.session, rules.company, within_repeats(case, rules), [code for code in (named, theirs) if code],
        closed(own) if own else None,
    )  # fmt: skip
    case.unit, case.unit_path = named, "/"
    if named is not None:
        case.unit_path = around.units.get(named, "/")
    elif theirs is not None and theirs in around.units:
        case.unit, case.unit_path = theirs, around.units[theirs]
    elif own is not None:
        case.unit, case.unit_path = around.unit_at(closed(own)), own
    return around
