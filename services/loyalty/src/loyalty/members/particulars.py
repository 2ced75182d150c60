"""What rules ask of a customer beside the account row: by which contacts they are reached, when they keep birthday.

Contacts are kept as digests: enough to see that two members share one, too little to reach anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b

from sqlalchemy.orm import Session

from loyalty.ledger.statements import array, cursor
from loyalty.members.domain import CustomerState

_CONTACTS = """
    WITH told AS (
        SELECT id, decode(mark, 'hex') AS mark FROM unnest(%s::uuid[], %s::text[]) AS n (id, mark)
    ), gone AS (
        DELETE FROM contact_mark WHERE customer_id = ANY(%s::uuid[])
            AND NOT EXISTS (SELECT FROM told WHERE told.id = customer_id AND told.mark = contact_mark.mark)
    )
    INSERT INTO contact_mark (customer_id, mark) SELECT DISTINCT id, mark FROM told ON CONFLICT DO NOTHING
"""
_LUNAR_BIRTHDAYS = """
    WITH gone AS (DELETE FROM lunar_birthday WHERE customer_id = ANY(%s::uuid[]))
    INSERT INTO lunar_birthday (customer_id, month, day, leap)
    SELECT * FROM unnest(%s::uuid[], %s::int[], %s::int[], %s::bool[])
    ON CONFLICT (customer_id) DO UPDATE SET month = excluded.month, day = excluded.day, leap = excluded.leap
"""


def keep_contacts(session: Session, states: Sequence[CustomerState]) -> None:
    """Bring the contacts of these customers to what they are now; who was erased has none."""
    told = [(state.customer_id, mark_of(contact)) for state in states for contact in state.contacts]
    with cursor(session) as kept:
        kept.execute(
            _CONTACTS,
            (
                array(customer_id for customer_id, _ in told),
                [mark for _, mark in told],
                array(state.customer_id for state in states),
            ),
        )


def keep_lunar_birthdays(session: Session, states: Sequence[CustomerState]) -> None:
    """Bring the lunar birthdays of these customers to what they are now."""
    kept = [(state.customer_id, *state.lunar_birthday) for state in states if state.lunar_birthday]
    with cursor(session) as rows:
        rows.execute(
            _LUNAR_BIRTHDAYS,
            (
                array(state.customer_id for state in states if not state.lunar_birthday),
                *(array(column) for column in zip(*kept, strict=True)),
                *["{}"] * (0 if kept else 4),
            ),
        )


def mark_of(contact: str) -> str:
    """The digest of a telephone number or address, in hex; spelling in capitals or with blanks makes no other."""
    return blake2b("".join(contact.split()).casefold().encode(), digest_size=16).hexdigest()
