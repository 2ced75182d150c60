"""Recognising who speaks and what of: contacts by keyed hash, the same matter again, what a text is found by.

Contacts are encrypted, so that they can't be compared; their keyed hash can. It is made with the newest of
``KEZHI_FIELD_KEYS`` and looked for under all of them.
"""

from __future__ import annotations

import hmac
import re
import unicodedata
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, or_, select
from sqlalchemy.orm import Session

from chassis.people import StaffRow, UnitRow
from chassis.storage.reading import RowReader
from complaint.cases.levels import Asked
from complaint.cases.tables import Complaint
from complaint.policy import ComplaintPolicy

_TELLING = 11  # last digits of a number that tell it apart, with or without its country code
_LEAST = 5  # shorter ones are no telephone number


def contact_keys(keys: Sequence[str], phones: Iterable[str | None], emails: Iterable[str | None]) -> list[str]:
    """Every hash under which somebody with these contacts may be found, those of the newest key first."""
    said = [*map(_phone, phones), *map(_email, emails)]
    return [
        hmac.digest(key.encode(), text.encode(), "sha256").hex()[:32]
        for key in keys
        for text in said
        if text is not None
    ]


def contact_key(keys: Sequence[str], phone: str | None, email: str | None) -> str | None:
    """The hash that a case keeps of its complainant: of the telephone, else of the mail address."""
    return next(iter(contact_keys(keys[:1], [phone], [] if _phone(phone) else [email])), None)


def _phone(phone: str | None) -> str | None:
    digits = re.sub(r"\D", "", unicodedata.normalize("NFKC", phone or ""))
    return f"phone:{digits[-_TELLING:]}" if len(digits) >= _LEAST else None


def _email(email: str | None) -> str | None:
    return f"email:{email.strip().casefold()}" if email else None


def folded(text: str) -> str:
    """Without the differences of width, case and spacing."""
    return "".join(unicodedata.normalize("NFKC", text).casefold().split())


def grams(*texts: str | None) -> list[str]:
    """What texts are found by: every wide character, every pair with one, every three of the others (decision 37)."""
    found: set[str] = set()
    for text in map(folded, filter(None, texts)):
        if text.isascii():
            found.update(map("".join, zip(text, text[1:], text[2:], strict=False)))
            continue
        wide = [_wide(character) for character in text]
        found.update(character for character, is_wide in zip(text, wide, strict=True) if is_wide)
        found.update(text[i : i + 2] for i in range(len(text) - 1) if wide[i] or wide[i + 1])
        found.update(text[i : i + 3] for i in range(len(text) - 2) if not (wide[i] or wide[i + 1] or wide[i + 2]))
    return sorted(found)


def _wide(character: str) -> bool:
    return "\u2e80" <= character <= "\U0003ffff"


def asked_of(session: Session, case: Complaint, before: Earlier | None) -> Asked:
    """What the level rules ask of a case as it is now. ``before``: the same matter earlier, as ``earlier`` finds it."""
    return Asked(
        received_at=case.received_at,
        category=case.category,
        channel=case.channel,
        value=case.value,
        insists=case.insists,
        against_roles=roles_of_accused(session, case),
        same_matter_at=before.received_at if before else None,
    )


def roles_of_accused(session: Session, case: Complaint) -> frozenset[str]:
    """The roles of the person a case is against."""
    if case.against_kind != "staff":
        return frozenset()
    found = session.scalars(select(StaffRow.roles).where(StaffRow.username == case.against_ref))
    return frozenset(role for roles in found for role in roles)


@dataclass(frozen=True)
class Earlier:
    """What tells whether an earlier case was about the same matter."""

    id: uuid.UUID
    received_at: datetime
    category: str | None
    subject: str
    against_kind: str | None
    against_ref: str | None


def by_the_same_person() -> Select[Any]:
    """Cases of ``customer`` or under the contact ``key``, from ``since`` to ``until``, but ``itself``: latest first."""
    key: ColumnElement[str] = bindparam("key", type_=Text)
    return (
        select(*(getattr(Complaint, each.name) for each in fields(Earlier)))
        .where(
            or_(Complaint.customer_id == bindparam("customer"), Complaint.complainant_key == key),
            Complaint.received_at >= bindparam("since"),
            Complaint.received_at <= bindparam("until"),
            Complaint.id != bindparam("itself"),
        )
        .order_by(Complaint.received_at.desc(), Complaint.id.desc())
        .limit(50)
    )


def within_repeats(case: Complaint, policy: ComplaintPolicy) -> dict[str, Any]:
    """What ``by_the_same_person`` asks of a case: the pack's days count back from when it was received."""
    since = policy.repeats.within.before(case.received_at, policy.company.time_zone)
    return {
        "customer": case.customer_id, "key": case.complainant_key, "since": since, "until": case.received_at,
        "itself": case.id,
    }  # fmt: skip


_EARLIER = RowReader(by_the_same_person())


def earlier(session: Session, case: Complaint, policy: ComplaintPolicy) -> Earlier | None:
    """The same complainant's latest case on the same matter, within the pack's days (FR-02)."""
    if case.customer_id is None and case.complainant_key is None:
        return None
    return latest_on(case, (Earlier(**row) for row in _EARLIER.within(session, within_repeats(case, policy))))


def latest_on(case: Complaint, found: Iterable[Earlier]) -> Earlier | None:
    """The first of them that was about the same matter."""
    return next((before for before in found if same_matter(before, case)), None)


def same_matter(one: Complaint | Earlier, other: Complaint) -> bool:
    """About the same object where both name one, else of the same category, else under the same heading."""
    if one.against_ref and other.against_ref:
        return (one.against_kind, folded(one.against_ref)) == (other.against_kind, folded(other.against_ref))
    if one.category and other.category:
        return one.category == other.category
    return folded(one.subject) == folded(other.subject)


def hidden_from(session: Session, against: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Who must not learn of a case: the person it is against with all under them; a unit's head alone (decision 13).

    A complainant may know a name only: whoever is called so is hidden from, rather one too many than the one.
    """
    if against is None or not against.get("ref"):
        return []
    ref = against["ref"]
    if against["kind"] == "staff":
        named = session.scalars(select(StaffRow.username).where(or_(StaffRow.username == ref, StaffRow.name == ref)))
        return [{"staff": name, "with_subordinates": True} for name in sorted({ref, *named})]
    if against["kind"] in ("store", "department"):
        states = session.scalars(select(UnitRow.state).where(or_(UnitRow.code == ref, UnitRow.name == ref)))
        heads = {state["head"] for state in states if state.get("head")}
        return [{"staff": name, "with_subordinates": False} for name in sorted(heads)]
    return []


def new_number(year: int, number: int) -> str:
    """``TS2026-000123``: gapless within its year."""
    return f"TS{year}-{number:06d}"
