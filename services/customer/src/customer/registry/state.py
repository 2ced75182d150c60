"""A customer's full state: what state events carry (decision 1) and what the API answers.

A customer without a graded run has the grade every relation starts with; the registry never leaves it blank.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.web.fields import instant
from customer.registry import domain
from customer.segmentation.tables import SegmentRow

GRADE = "grade"


def segment_view(
    value: str, since: str, score: Any, run: str | None, clause: str, policyversion: str, detail: Mapping[str, Any]
) -> dict[str, Any]:
    """One class or grade in force with what it rests on."""
    return {
        "value": value,
        "since": instant(datetime.fromisoformat(since)),
        "score": None if score is None else float(score),
        "run": run,
        "clause": clause,
        "policyversion": policyversion,
        **detail,
    }


def segments_of(session: Session, customer_ids: Iterable[UUID]) -> dict[UUID, dict[str, dict[str, Any]]]:
    """Per customer: scheme → its value in force with run, clause and policy version."""
    found: dict[UUID, dict[str, dict[str, Any]]] = {}
    table = SegmentRow.__table__
    for row in session.execute(select(table).where(table.c.customer_id.in_(list(customer_ids)))):
        run = None if row.run_id is None else str(row.run_id)
        values = (row.value, row.since.isoformat(), row.score, run, row.clause, row.policyversion, row.detail)
        found.setdefault(row.customer_id, {})[row.scheme] = segment_view(*values)
    return found


def grading(row: Any, segments: Mapping[str, Mapping[str, Any]], policy: Policy) -> Mapping[str, Any]:
    """The grade in force with its reasons; the entry grade where no run has spoken yet."""
    if GRADE in segments:
        return segments[GRADE]
    scheme = policy.rules.grade_scheme
    since = instant(row.registered_at)
    return {
        "value": scheme.otherwise,
        "since": since,
        "score": None,
        "run": None,
        "clause": scheme.clause,
        "policyversion": policy.version,
    }


def view(row: Any, segments: Mapping[str, Mapping[str, Any]], policy: Policy, *, contacts: bool) -> dict[str, Any]:
    """The resource ``customers/{id}``; without ``contacts`` phones and e-mails are masked."""
    detail = grading(row, segments, policy)
    phones, emails = row.phones, row.emails
    if not contacts:
        phones = [{**phone, "number": domain.masked_phone(phone["number"])} for phone in phones]
        emails = [{**email, "address": domain.masked_email(email["address"])} for email in emails]
    return {
        "id": str(row.id),
        "code": row.code,
        "kind": row.kind,
        "name": row.name,
        "pinyin": row.pinyin,
        "status": row.status,
        "stage": row.stage,
        "value_class": row.value_class,
        "unit": row.unit,
        "owner": row.owner,
        "birthday": None if row.birthday is None else row.birthday.isoformat(),
        "special_dates": row.special_dates,
        "phones": phones,
        "emails": emails,
        "addresses": row.addresses if contacts else [{**address, "text": "****"} for address in row.addresses],
        "identities": row.identities,
        "tags": row.tags,
        "profile": row.profile,
        "grade": detail["value"],
        "grade_detail": detail,
        "classes": {scheme: value for scheme, value in segments.items() if scheme != GRADE},
        "standing": row.standing,
        "referred_by": None if row.referred_by is None else str(row.referred_by),
        "registered_at": instant(row.registered_at),
        "registered_by": row.registered_by,
        "updated_at": instant(row.updated_at),
        "confirmed_at": instant(row.confirmed_at),
        "version": row.version,
    }


_IN_EVENTS = ("value", "since", "score", "run", "clause", "policyversion")


def _spoken(segment: Mapping[str, Any]) -> dict[str, Any]:
    """A segment as events carry it: scores are decimal strings there, and the calculation stays at home."""
    said = {name: segment[name] for name in _IN_EVENTS}
    return {**said, "score": None if said["score"] is None else format(said["score"], ".6f")}


def full_state(row: Any, segments: Mapping[str, Mapping[str, Any]], policy: Policy) -> dict[str, Any]:
    """What every state event of a customer carries in ``data``."""
    detail = grading(row, segments, policy)
    return {
        "customer_id": str(row.id),
        "code": row.code,
        "kind": row.kind,
        "name": row.name,
        "status": row.status,
        "stage": row.stage,
        "value_class": row.value_class,
        "unit": row.unit,
        "account_manager": row.owner,
        "birthday": None if row.birthday is None else row.birthday.isoformat(),
        "special_dates": row.special_dates,
        "phones": row.phones,
        "emails": row.emails,
        "addresses": row.addresses,
        "identities": row.identities,
        "tags": row.tags,
        "grade": detail["value"],
        "grade_detail": _spoken(detail),
        "classes": {scheme: _spoken(value) for scheme, value in segments.items() if scheme != GRADE},
        "standing": row.standing,
        "referred_by": None if row.referred_by is None else str(row.referred_by),
        "registered_at": instant(row.registered_at),
        "confirmed_at": instant(row.confirmed_at),
    }
