"""Changing what we know of a customer, linking an identity: state, history and event in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import NotFound
from chassis.messaging import outbox
from chassis.policies.book import Policy
from customer.admission.domain import standing_of, trade_of
from customer.admission.queries import open_entries
from customer.archive.use_cases import remember
from customer.purchases.waiting import apply_waiting, hold_identities
from customer.registry import domain
from customer.registry.duplicates import linked_elsewhere
from customer.registry.registering import make_findable
from customer.registry.state import full_state, segments_of
from customer.registry.tables import CustomerChangeRow, CustomerRow, IdentityRow


def change_customer(
    session: Session,
    clock: Clock,
    policy: Policy,
    by: str,
    customer: CustomerRow,
    patch: Mapping[str, Any],
    provenance: Mapping[str, Any] | None,
) -> bool:
    """Change fields of a locked customer, each with its old and new value (CG-03). False when nothing differs.

    Whoever writes a customer's data has them before their eyes: the change also confirms them.
    """
    new = dict(patch)
    if "profile" in new:
        new["profile"] = domain.merged(customer.profile, new["profile"])
    old = {field: getattr(customer, field) for field in new}
    changes = domain.changed_fields(old, new)
    now = clock.now()
    customer.confirmed_at = now
    if not changes:
        return False
    for field, _, value in changes:
        setattr(customer, field, value)
    names = [field for field, _, _ in changes]
    if "status" in names:
        customer.standing = standing_of(customer.status, open_entries(session, customer.id))
        customer.trade = trade_of(customer.standing)
    make_findable(customer)
    _next_version(customer, now)
    _record_changes(session, customer, by, now, provenance, changes)
    remember(session, customer.id, "profile", "customer.updated", now, {"changed": names, "by": by})
    reason = provenance.get("reason") if provenance else None
    announce_state(session, "customer.updated.v1", customer, policy, {"changed": names, "reason": reason})
    return True


def link_identity(
    session: Session, clock: Clock, policy: Policy, by: str, customer: CustomerRow, scheme: str, value: str
) -> bool:
    """Let another system's name for the customer count; purchases that waited for it are theirs now.

    False when it was linked to them before. Raises Conflict when it is somebody else's.
    """
    identity = f"{scheme}:{value}"
    now = clock.now()
    hold_identities(session)
    holder = session.get(IdentityRow, identity)
    if holder is not None and holder.customer_id == customer.id:
        return False
    _refuse_known(session, identity)
    _claim(session, customer.id, identity, now, by)
    linked = {"scheme": scheme, "value": value}
    before = customer.identities
    customer.identities = [*before, linked]
    make_findable(customer)
    _next_version(customer, now)
    _record_changes(session, customer, by, now, None, [("identities", before, customer.identities)])
    remember(session, customer.id, "identity", "customer.identified", now, {"identity": linked, "by": by})
    apply_waiting(session, customer.id, identity)
    linking = {"identity": linked, "linked_at": now.isoformat()}
    announce_state(session, "customer.identified.v1", customer, policy, linking)
    return True


def lock_customer(session: Session, customer_id: UUID) -> CustomerRow:
    """The customer, locked until the transaction ends. Raises NotFound."""
    row = session.get(CustomerRow, customer_id, with_for_update=True, populate_existing=True)
    if row is None:
        raise NotFound("There is no such customer")
    return row


def announce_state(
    session: Session, type: str, customer: Any, policy: Policy, more: Mapping[str, Any] | None = None
) -> None:
    """Say the customer's full state with their version as sequence, and what this event adds to it."""
    segments = segments_of(session, [customer.id]).get(customer.id, {}) if customer.version > 1 else {}
    outbox.announce(
        session,
        type,
        subject=str(customer.id),
        data={**full_state(customer, segments, policy), **(more or {})},
        key=f"{customer.id}:{customer.version}",
        partitionkey=str(customer.id),
        sequence=customer.version,
        policyversion=policy.version,
    )


def _next_version(row: CustomerRow, now: datetime) -> None:
    row.version += 1
    row.updated_at = now


def _refuse_known(session: Session, identity: str) -> None:
    known = select(IdentityRow.identity, CustomerRow.id, CustomerRow.code, CustomerRow.name).join(
        CustomerRow, CustomerRow.id == IdentityRow.customer_id
    )
    holders = session.execute(known.where(IdentityRow.identity == identity)).all()
    if holders:
        raise linked_elsewhere(holders)


def _claim(session: Session, customer_id: UUID, identity: str, now: datetime, by: str) -> None:
    """Make the identity this customer's own; another request may have been quicker since it was looked up."""
    row = {"identity": identity, "customer_id": customer_id, "linked_at": now, "linked_by": by}
    claim = upsert(IdentityRow).values(row).on_conflict_do_nothing().returning(IdentityRow.identity)
    if session.scalar(claim) is None:
        _refuse_known(session, identity)


def _record_changes(
    session: Session,
    row: CustomerRow,
    by: str,
    now: datetime,
    provenance: Mapping[str, Any] | None,
    changes: Sequence[tuple[str, Any, Any]],
) -> None:
    """Keep who found each fact, of which department, and when (CG-01), beside who wrote it here (CG-03)."""
    found = provenance or {}
    common = {
        "customer_id": row.id,
        "by": by,
        "collected_by": found.get("collected_by") or by,
        "department": found.get("department"),
        "collected_at": found.get("collected_at") or now,
        "why": found.get("reason"),
        "at": now,
        "version": row.version,
    }
    values = [{**common, "field": field, "old": old, "new": new} for field, old, new in changes]
    session.execute(insert(CustomerChangeRow), values)
