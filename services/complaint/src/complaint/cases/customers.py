"""Our copy of the customers: follows the registry's state events, and recognises whose earlier cases were whose.

Each event carries a customer's whole state and is applied only if newer (decision 1). Cases that came in before their
customer was known are linked as soon as the registry tells of them.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.messaging.delivery import Delivery, Reject
from chassis.runtime import Context
from complaint.cases.recognising import contact_keys, grams
from complaint.cases.tables import Complaint, CustomerCopy
from complaint.policy import ComplaintPolicy

ACTIVE = "active"


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
    """The one active customer who can be reached by these contacts; None where there are several."""
    sought = contact_keys(keys, [phone], [email])
    if not sought:
        return None
    found = select(CustomerCopy).where(CustomerCopy.contact_keys.overlap(sought), CustomerCopy.status == ACTIVE)
    matches = session.scalars(found.limit(2)).all()
    return matches[0] if len(matches) == 1 else None


def follow_customer(context: Context, delivery: Delivery) -> None:
    """Take the state that a customer event carries, unless the copy is as new already."""
    event = delivery.event
    if event.sequence is None or not event.sequence.isdigit():
        raise Reject("a state event needs a numeric sequence")
    _apply(context, event.data, int(event.sequence))
    if event.type == "customer.merged.v1":
        _absorb(context.session, uuid.UUID(event.data["merged_customer_id"]), uuid.UUID(event.data["customer_id"]))
    if event.type == "customer.unmerged.v1":
        restored = event.data["restored"]
        _apply(context, restored, int(restored["sequence"]))


def _apply(context: Context, state: Mapping[str, Any], version: int) -> None:
    session, keys = context.session, context.runtime.settings.field_keys
    id_ = uuid.UUID(state["customer_id"])
    phones = [each["number"] for each in state.get("phones") or ()]
    emails = [each["address"] for each in state.get("emails") or ()]
    contacts = contact_keys(keys, phones, emails)
    values = {
        "code": state.get("code"),
        "name": state["name"],
        "status": state["status"],
        "grade": state.get("grade"),
        "unit": state.get("unit"),
        "unit_path": state.get("unit_path"),
        "locale": state.get("locale"),
        "merged_into": uuid.UUID(state["merged_into"]) if state.get("merged_into") else None,
        "contact_keys": contacts,
        "grams": grams(state["name"], state.get("code")),
        "version": version,
    }
    statement = insert(CustomerCopy).values(id=id_, **values)
    newer = statement.on_conflict_do_update(
        index_elements=[CustomerCopy.id], set_=values, where=CustomerCopy.version < version
    )
    if session.scalar(newer.returning(CustomerCopy.id)) is None:
        return
    customer = session.get_one(CustomerCopy, id_, populate_existing=True)
    _recognise(session, customer, context.policies.in_force().rules)
    if state["status"] == "erased":
        _forget(session, id_)


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
