"""Our copy of the customers: follows the registry's state events, and recognises whose earlier cases were whose.

Each event carries a customer's whole state and is applied only if newer (decision 1). Cases that came in before their
customer was known are linked as soon as the registry tells of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import Text, and_, bindparam, literal_column, or_, select, update
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import Session

from chassis.messaging.delivery import Delivery, Rejection
from chassis.messaging.event import Event
from chassis.runtime import Context
from chassis.storage.reading import RowReader
from chassis.storage.writing import write_newer
from complaint.cases.recognising import contact_keys, grams
from complaint.cases.tables import Complaint, CustomerCopy
from complaint.policy import ComplaintPolicy

ACTIVE = "active"
_TWO_CUSTOMERS = ("customer.merged.v1", "customer.unmerged.v1")


def known_customer(session: Session, customer_id: uuid.UUID | None) -> CustomerCopy | None:
    """The customer of this id, followed to the one that they were merged into; None for one we don't know."""
    seen: set[uuid.UUID] = set()
    while customer_id is not None and customer_id not in seen:
        seen.add(customer_id)
        found = session.get(CustomerCopy, customer_id)
        if found is None or found.merged_into is None:
            return found
        customer_id = found.merged_into
    return None


def matched_customer(
    session: Session, keys: Sequence[str], phone: str | None, email: str | None
) -> CustomerCopy | None:
    """The one active customer who can be reached by these contacts, to be read; None where there are several."""
    sought = contact_keys(keys, [phone], [email])
    matches = _MATCHED.within(session, {"sought": sought}) if sought else []
    return CustomerCopy(**matches[0]) if len(matches) == 1 else None


_READ: list[Any] = [getattr(CustomerCopy, name) for name in ("id", "name", "grade", "unit", "locale")]
_MATCHED = RowReader(
    select(*_READ)
    .where(
        CustomerCopy.contact_keys.overlap(bindparam("sought", type_=ARRAY(Text))),
        CustomerCopy.status == literal_column(f"'{ACTIVE}'"),
    )
    .limit(2)
)


def follow_customers(context: Context, deliveries: Sequence[Delivery]) -> list[Rejection]:
    """Take the states that customer events carry, unless a copy is as new already; many customers in few statements."""
    refused = []
    states: dict[str, tuple[int, Mapping[str, Any]]] = {}
    for delivery in deliveries:
        event = delivery.event
        if event.sequence is None or not event.sequence.isdigit():
            refused.append(Rejection(delivery, "a state event needs a numeric sequence"))
            continue
        _gather(states, event.data, int(event.sequence))
        if event.type in _TWO_CUSTOMERS:  # what it says of the other one comes after all that was said before
            _apply(context, states)
            states = {}
            _follow_the_other(context, event)
    _apply(context, states)
    return refused


def _gather(states: dict[str, tuple[int, Mapping[str, Any]]], state: Mapping[str, Any], version: int) -> None:
    known = states.get(state["customer_id"])
    if known is None or known[0] < version:
        states[state["customer_id"]] = (version, state)


def _follow_the_other(context: Context, event: Event) -> None:
    if event.type == "customer.merged.v1":
        _absorb(context.session, uuid.UUID(event.data["merged_customer_id"]), uuid.UUID(event.data["customer_id"]))
        return
    restored = event.data["restored"]
    _apply(context, {restored["customer_id"]: (int(restored["sequence"]), restored)})


def _apply(context: Context, states: Mapping[str, tuple[int, Mapping[str, Any]]]) -> None:
    """Write the newest state of each; only the few whose cases it touches are looked at one by one."""
    if not states:
        return
    session, keys = context.session, context.runtime.settings.field_keys
    rows = [_row(keys, state, version) for _, (version, state) in sorted(states.items())]
    changed = write_newer(session, CustomerCopy, rows)
    if not changed:
        return
    contacts = sorted({key for row in rows if row["id"] in changed for key in row["contact_keys"]})
    theirs = Complaint.customer_id.in_(changed)
    nobodys = and_(Complaint.complainant_key.in_(contacts), Complaint.customer_id.is_(None))
    touched = session.execute(
        select(Complaint.customer_id, Complaint.complainant_key).where(or_(theirs, nobodys))
    ).all()
    if not touched:
        return
    ids, claimed = {row.customer_id for row in touched}, {row.complainant_key for row in touched}
    for row in rows:
        if row["id"] in changed and (row["id"] in ids or claimed.intersection(row["contact_keys"])):
            customer = session.get_one(CustomerCopy, row["id"], populate_existing=True)
            _recognise(session, customer, context.policies.in_force().rules)
            if customer.status == "erased":
                _forget(session, customer.id)


def _row(keys: Sequence[str], state: Mapping[str, Any], version: int) -> dict[str, Any]:
    phones = [each["number"] for each in state.get("phones") or ()]
    emails = [each["address"] for each in state.get("emails") or ()]
    return {
        "id": uuid.UUID(state["customer_id"]),
        "code": state.get("code"),
        "name": state["name"],
        "status": state["status"],
        "grade": state.get("grade"),
        "unit": state.get("unit"),
        "unit_path": state.get("unit_path"),
        "locale": state.get("locale"),
        "merged_into": uuid.UUID(state["merged_into"]) if state.get("merged_into") else None,
        "contact_keys": contact_keys(keys, phones, emails),
        "grams": grams(state["name"], state.get("code")),
        "version": version,
    }


def _absorb(session: Session, absorbed: uuid.UUID, survivor: uuid.UUID) -> None:
    """The absorbed customer's id leads to the survivor from now on, and so do their cases."""
    gone = update(CustomerCopy).where(CustomerCopy.id == absorbed)
    session.execute(gone.values(merged_into=survivor, status="merged", contact_keys=[]))
    session.execute(update(Complaint).where(Complaint.customer_id == absorbed).values(customer_id=survivor))


def _recognise(session: Session, customer: CustomerCopy, policy: ComplaintPolicy) -> None:
    """Cases of this customer are theirs for certain now; nameless ones under their contact become theirs."""
    mine = Complaint.customer_id == customer.id
    rank = policy.queue.rank(customer.grade)
    if customer.merged_into is not None:
        session.execute(update(Complaint).where(mine).values(customer_id=customer.merged_into))
        return
    session.execute(update(Complaint).where(mine, ~Complaint.verified).values(verified=True))
    session.execute(
        update(Complaint)
        .where(mine, Complaint.closed_at.is_(None), Complaint.grade_rank != rank)
        .values(grade_rank=rank)
    )
    if customer.status != ACTIVE or not customer.contact_keys:
        return
    others = select(CustomerCopy.id).where(
        CustomerCopy.contact_keys.overlap(customer.contact_keys), CustomerCopy.status == ACTIVE,
        CustomerCopy.id != customer.id,
    )  # fmt: skip
    if session.scalar(others.limit(1)) is None:
        unclaimed = (Complaint.complainant_key.in_(customer.contact_keys), Complaint.customer_id.is_(None))
        theirs = {"customer_id": customer.id, "verified": True, "grade_rank": rank}
        session.execute(update(Complaint).where(*unclaimed, Complaint.closed_at.is_(None)).values(**theirs))


def _forget(session: Session, customer_id: uuid.UUID) -> None:
    """Erasure: the cases stay as facts; who spoke, and how they could be reached, goes (decision 34)."""
    nobody = dict.fromkeys(
        ("complainant_name", "complainant_phone", "complainant_email", "complainant_key", "locale"), None
    )
    session.execute(update(Complaint).where(Complaint.customer_id == customer_id).values(**nobody))
