"""Registering a customer, changing what we know of one, linking an identity: state, history and event in one transaction."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import insert, select, text
from sqlalchemy.dialects.postgresql import insert as upsert
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Conflict, NotFound
from chassis.ids import uuid7
from chassis.messaging import outbox
from chassis.policies.book import Policy
from chassis.storage import numbers
from customer.admission.domain import free_standing, standing_of, trade_of
from customer.admission.queries import open_entries
from customer.archive.use_cases import remember
from customer.purchases.waiting import apply_waiting, hold_identities
from customer.registry import domain
from customer.registry.state import full_state, segments_of
from customer.registry.tables import CustomerChangeRow, CustomerRow, IdentityRow

_CUSTOMER = CustomerRow.__table__

# Who is registered twice at the same moment is found out here: the second waits until the first is there to be seen.
_ONE_AT_A_TIME = text("SELECT pg_advisory_xact_lock(k) FROM (SELECT DISTINCT hashtextextended(t, 1) AS k"
                      " FROM unnest(CAST(:terms AS text[])) AS t ORDER BY 1) AS keys")  # fmt: skip


def register_customer(
    session: Session, clock: Clock, policy: Policy, by: str, command: Mapping[str, Any]
) -> CustomerRow:
    """Take a customer into the registry (AD-08: a code at once, an archive from the first day).

    ``command`` holds the fields of ``POST customers``, already validated. Raises Conflict with ``candidates`` when an
    identity belongs to somebody else, or when somebody very like them is registered and ``force`` was not given.
    """
    now = clock.now()
    row = _new_row(now, by, command)
    identities = domain.identity_texts(row.identities)
    same = _sameness(row)
    if same:
        session.execute(_ONE_AT_A_TIME, {"terms": same})
    if identities:
        hold_identities(session)
    _refuse_known(session, identities)
    if not command.get("force"):
        _refuse_duplicates(session, policy, row, same)
    row.code = domain.code_of(row.unit, numbers.take(session, f"customer:{row.unit or ''}")[0])
    _make_findable(row)
    session.add(row)
    session.flush()
    _claim(session, row.id, identities, now, by)
    facts = {"name": row.name, "kind": row.kind, **{field: value for field, value in _shown(row).items() if value}}
    _record_changes(session, row, by, now, command.get("provenance"), [("registered", None, facts)])
    remember(session, row.id, "profile", "customer.registered", now, {"code": row.code, "by": by})
    apply_waiting(session, row.id, identities)
    announce_state(session, "customer.registered.v1", row, policy)
    return row


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
    _make_findable(customer)
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
    _refuse_known(session, [identity])
    _claim(session, customer.id, [identity], now, by)
    linked = {"scheme": scheme, "value": value}
    before = customer.identities
    customer.identities = [*before, linked]
    _make_findable(customer)
    _next_version(customer, now)
    _record_changes(session, customer, by, now, None, [("identities", before, customer.identities)])
    remember(session, customer.id, "identity", "customer.identified", now, {"identity": linked, "by": by})
    apply_waiting(session, customer.id, [identity])
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


def _new_row(now: datetime, by: str, command: Mapping[str, Any]) -> CustomerRow:
    standing = free_standing()
    return CustomerRow(
        id=uuid7(now),
        kind=command["kind"],
        name=command["name"],
        pinyin=domain.pinyin(command["name"], person=command["kind"] == "individual"),
        status="active",
        stage=command.get("stage") or domain.ENTRY_STAGE,
        value_class=command.get("value_class"),
        unit=command.get("unit"),
        owner=command.get("owner"),
        birthday=command.get("birthday"),
        special_dates=command.get("special_dates") or [],
        phones=command.get("phones") or [],
        emails=command.get("emails") or [],
        addresses=command.get("addresses") or [],
        identities=command.get("identities") or [],
        tags=command.get("tags") or [],
        profile=domain.merged({}, command.get("profile") or {}),
        standing=standing,
        trade=trade_of(standing),
        referred_by=command.get("referred_by"),
        registered_at=now,
        registered_by=by,
        updated_at=now,
        confirmed_at=now,
        version=1,
    )


def _shown(row: CustomerRow) -> dict[str, Any]:
    fields = (
        "unit",
        "owner",
        "birthday",
        "phones",
        "emails",
        "addresses",
        "identities",
        "tags",
        "profile",
        "special_dates",
    )
    return {field: getattr(row, field) for field in fields}


def _sameness(row: CustomerRow) -> list[str]:
    return domain.sameness_terms(
        domain.plain(row.phones, "number"), domain.plain(row.emails, "address"), row.birthday, row.pinyin
    )


def _make_findable(row: CustomerRow) -> None:
    """Renew what the row is searched by."""
    row.pinyin = domain.pinyin(row.name, person=row.kind == "individual")
    phones, emails = domain.plain(row.phones, "number"), domain.plain(row.emails, "address")
    identities = domain.identity_texts(row.identities)
    row.haystack = domain.haystack(domain.search_texts(row.name, row.pinyin, row.code, phones, emails, identities))
    row.terms = domain.terms(row.haystack, _sameness(row))


def _next_version(row: CustomerRow, now: datetime) -> None:
    row.version += 1
    row.updated_at = now


def _refuse_known(session: Session, identities: Sequence[str]) -> None:
    if not identities:
        return
    known = select(IdentityRow.identity, CustomerRow.id, CustomerRow.code, CustomerRow.name).join(
        CustomerRow, CustomerRow.id == IdentityRow.customer_id
    )
    holders = session.execute(known.where(IdentityRow.identity.in_(identities))).all()
    if holders:
        raise Conflict(
            f"{', '.join(sorted(row.identity for row in holders))}: linked to another customer already",
            candidates=[
                {"id": str(row.id), "code": row.code, "name": row.name, "score": 1.0, "matched": ["identity"]}
                for row in holders
            ],
        )


def _refuse_duplicates(session: Session, policy: Policy, row: CustomerRow, same: Sequence[str]) -> None:
    if not same:
        return
    new = _comparable(row)
    columns = [_CUSTOMER.c[name] for name in ("id", "code", "name", "pinyin", "birthday", "phones", "emails")]
    known = session.execute(select(*columns).where(_CUSTOMER.c.terms.overlap(list(same))).limit(50)).all()
    candidates = []
    for other in known:
        score, matched = domain.likeness(new, _comparable(other))
        if score >= policy.rules.duplicates.refuse_above:
            candidates.append(
                {"id": str(other.id), "code": other.code, "name": other.name, "score": score, "matched": list(matched)}
            )
    if candidates:
        raise Conflict(
            "A customer very like this one is registered; open it, or send `force: true` if this is somebody else",
            candidates=sorted(candidates, key=lambda candidate: (-candidate["score"], candidate["code"]))[:10],
        )


def _comparable(row: Any) -> dict[str, Any]:
    return {
        "name": row.name,
        "pinyin": row.pinyin,
        "birthday": row.birthday,
        "phones": domain.plain(row.phones, "number"),
        "emails": domain.plain(row.emails, "address"),
    }


def _claim(session: Session, customer_id: UUID, identities: Sequence[str], now: datetime, by: str) -> None:
    """Make the identities this customer's own; another request may have been quicker since they were looked up."""
    if not identities:
        return
    rows = [
        {"identity": identity, "customer_id": customer_id, "linked_at": now, "linked_by": by}
        for identity in sorted(identities)
    ]
    claim = upsert(IdentityRow).values(rows).on_conflict_do_nothing().returning(IdentityRow.identity)
    claimed = set(session.scalars(claim))
    if len(claimed) < len(rows):
        _refuse_known(session, sorted(set(identities) - claimed))


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
