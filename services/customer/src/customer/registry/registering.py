"""A customer enters the registry: refused as a duplicate, or there with code, identities, history, archive and event.

One function for one customer and for a piece of an import: five statements, however many rows.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import orjson
from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Conflict
from chassis.ids import uuid7
from chassis.messaging import outbox
from chassis.policies.book import Policy
from chassis.storage import numbers
from customer.admission.domain import free_standing, trade_of
from customer.archive.use_cases import HERE
from customer.purchases.waiting import remember_applied
from customer.registry import domain
from customer.registry.duplicates import refusals, sameness
from customer.registry.state import full_state
from customer.registry.tables import CustomerRow

REGISTERED = "customer.registered.v1"
_COLUMNS = tuple(column.name for column in CustomerRow.__table__.c)
_LISTED = ", ".join(_COLUMNS)
_ENTER = text(
    f"""
    WITH entering AS (
        INSERT INTO customer ({_LISTED})
        SELECT {_LISTED} FROM jsonb_populate_recordset(NULL::customer, CAST(:customers AS jsonb))
    ), given AS (
        SELECT x.* FROM jsonb_to_recordset(CAST(:identities AS jsonb)) AS x (identity text, customer_id uuid)
    ), claimed AS (
        INSERT INTO identity (identity, customer_id, linked_at, linked_by)
        SELECT identity, customer_id, :now, :by FROM given ORDER BY identity
        ON CONFLICT DO NOTHING RETURNING identity
    ), written AS (
        INSERT INTO customer_change
            (customer_id, field, new, by, collected_by, department, collected_at, why, at, version)
        SELECT x.customer_id, 'registered', x.facts, :by, x.collected_by, x.department, x.collected_at, x.why, :now, 1
        FROM jsonb_to_recordset(CAST(:changes AS jsonb)) AS x
             (customer_id uuid, facts jsonb, collected_by text, department text, collected_at timestamptz, why text)
    ), archived AS (
        INSERT INTO archive_entry (customer_id, at, kind, fact, data, source)
        SELECT (x->>'id')::uuid, :now, 'profile', 'customer.registered',
               jsonb_build_object('code', x->>'code', 'by', CAST(:by AS text)), '{HERE}'
        FROM jsonb_array_elements(CAST(:customers AS jsonb)) AS x
    ), applied AS (
        UPDATE purchase SET customer_id = given.customer_id, status = 'accepted' FROM given
        WHERE purchase.status = 'waiting' AND purchase.identity = given.identity
        RETURNING purchase_id
    )
    SELECT (SELECT count(*) FROM claimed) AS claimed, ARRAY(SELECT purchase_id FROM applied) AS applied
    """  # noqa: S608 - the table's own columns
)


def register_customer(
    session: Session, clock: Clock, policy: Policy, by: str, command: Mapping[str, Any]
) -> CustomerRow:
    """Take one customer into the registry (AD-08: a code at once, an archive from the first day).

    ``command`` holds the fields of ``POST customers``, already validated. Raises Conflict with ``candidates`` when an
    identity belongs to somebody else, or when somebody very like them is registered and ``force`` was not given.
    """
    [row] = register_customers(session, clock, policy, by, [command])
    if isinstance(row, Conflict):
        raise row
    return row


def register_customers(
    session: Session, clock: Clock, policy: Policy, by: str, commands: Sequence[Mapping[str, Any]]
) -> list[CustomerRow | Conflict]:
    """Take many; each is registered, or a Conflict stands in its place. No two may share an identity or a contact."""
    now = clock.now()
    rows = [new_customer(now, by, command) for command in commands]
    known = refusals(session, policy, rows, commands)
    entering = [(row, command) for row, command, refusal in zip(rows, commands, known, strict=True) if refusal is None]
    _number(session, [row for row, _ in entering])
    _enter(session, now, by, entering)
    _announce(session, policy, [row for row, _ in entering])
    return [refusal or row for row, refusal in zip(rows, known, strict=True)]


def new_customer(now: datetime, by: str, command: Mapping[str, Any]) -> CustomerRow:
    """The row of a customer who is about to be registered; it has no code yet."""
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


def make_findable(row: CustomerRow) -> None:
    """Renew what the row is searched by."""
    row.pinyin = domain.pinyin(row.name, person=row.kind == "individual")
    phones, emails = domain.plain(row.phones, "number"), domain.plain(row.emails, "address")
    identities = domain.identity_texts(row.identities)
    row.haystack = domain.haystack(domain.search_texts(row.name, row.pinyin, row.code, phones, emails, identities))
    row.terms = domain.terms(row.haystack, sameness(row))


def _number(session: Session, rows: Sequence[CustomerRow]) -> None:
    """Gapless codes, each unit's own; a block per unit, units in order, so that two imports never lock crosswise."""
    by_unit: dict[str | None, list[CustomerRow]] = {}
    for row in rows:
        by_unit.setdefault(row.unit, []).append(row)
    for unit in sorted(by_unit, key=lambda unit: unit or ""):
        taken = numbers.take(session, f"customer:{unit or ''}", len(by_unit[unit]))
        for row, number in zip(by_unit[unit], taken, strict=True):
            row.code = domain.code_of(unit, number)
            make_findable(row)


def _enter(session: Session, now: datetime, by: str, entering: Sequence[tuple[CustomerRow, Mapping[str, Any]]]) -> None:
    if not entering:
        return
    identities = [
        {"identity": identity, "customer_id": row.id}
        for row, _ in entering
        for identity in domain.identity_texts(row.identities)
    ]
    done = session.execute(
        _ENTER,
        {
            "customers": _json([{name: getattr(row, name) for name in _COLUMNS} for row, _ in entering]),
            "identities": _json(identities),
            "changes": _json(
                [_first_change(row, by, now, command.get("provenance") or {}) for row, command in entering]
            ),
            "now": now,
            "by": by,
        },
    ).one()
    if done.claimed < len(identities):
        raise Conflict("One of these identities was linked to another customer at this moment; send it again")
    if done.applied:
        remember_applied(session, done.applied)


def _first_change(row: CustomerRow, by: str, now: datetime, found: Mapping[str, Any]) -> dict[str, Any]:
    """Every fact with who collected it, of which department, when (CG-01); what is empty is not a fact."""
    shown = ("name", "kind", "unit", "owner", "birthday", "phones", "emails", "addresses", "identities", "tags",
             "profile", "special_dates")  # fmt: skip
    return {
        "customer_id": row.id,
        "facts": {name: value for name in shown if (value := getattr(row, name))},
        "collected_by": found.get("collected_by") or by,
        "department": found.get("department"),
        "collected_at": found.get("collected_at") or now,
        "why": found.get("reason"),
    }


def _announce(session: Session, policy: Policy, rows: Sequence[CustomerRow]) -> None:
    said: list[dict[str, Any]] = [
        {
            "subject": str(row.id),
            "data": full_state(row, {}, policy),
            "key": f"{row.id}:1",
            "partitionkey": str(row.id),
            "sequence": 1,
            "policyversion": policy.version,
        }
        for row in rows
    ]
    if len(said) == 1:
        outbox.announce(session, REGISTERED, **said[0])
    else:
        outbox.record(session, [outbox.draft(session, REGISTERED, **each) for each in said])


def _json(value: Any) -> str:
    return orjson.dumps(value, default=str).decode()
