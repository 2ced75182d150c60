"""Who is known under which name, and the lock that keeps a purchase from missing its customer.

A purchase of an unknown name leaves a row without a member behind and holds its lock until it commits; the
registration that brings the name waits for that lock, and then finds the purchase waiting. Neither can miss the other.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence

from sqlalchemy.orm import Session

from loyalty.ledger.statements import array, cursor

_KNOWN = "SELECT identity, customer_id::text FROM identity WHERE identity = ANY(%s) AND customer_id IS NOT NULL"
_AWAIT = """
    INSERT INTO identity (identity) SELECT unnest(%s::text[])
    ON CONFLICT (identity) DO UPDATE SET customer_id = identity.customer_id
    RETURNING identity, customer_id::text
"""
_LINK = """
    INSERT INTO identity (identity, customer_id)
    SELECT * FROM unnest(%s::text[], %s::uuid[])
    ON CONFLICT (identity) DO UPDATE SET customer_id = excluded.customer_id
"""
_UNLINK = """
    UPDATE identity SET customer_id = NULL WHERE customer_id = ANY(%s::uuid[]) AND NOT identity = ANY(%s)
"""
_LED = """
    SELECT customer_id::text, merged_into::text FROM member
    WHERE merged_into IS NOT NULL AND (customer_id = ANY(%(ids)s::uuid[]) OR merged_into = ANY(%(ids)s::uuid[]))
"""


def own_name(customer_id: str) -> str:
    """The name under which a customer is known by its id alone."""
    return f"#{customer_id.lower()}"


def known(session: Session, names: Collection[str]) -> dict[str, str]:
    """Names that have a member → the member's customer id."""
    if not names:
        return {}
    with cursor(session) as found:
        found.execute(_KNOWN, (list(names),))
        return dict(found.fetchall())


def await_names(session: Session, names: Iterable[str]) -> dict[str, str]:
    """Lock unknown names until the transaction ends; returns those that got a member in the meantime."""
    with cursor(session) as found:
        found.execute(_AWAIT, (sorted(names),))
        return {name: customer_id for name, customer_id in found.fetchall() if customer_id is not None}


def link(session: Session, names_of: Mapping[str, Sequence[str]]) -> None:
    """Customer id → every name it has now; names it lost are left without a member, later purchases wait there."""
    pairs = sorted((name, customer_id) for customer_id, names in names_of.items() for name in names)
    with cursor(session) as linked:
        linked.execute(_LINK, ([name for name, _ in pairs], array(customer_id for _, customer_id in pairs)))
        linked.execute(_UNLINK, (array(names_of), [name for name, _ in pairs]))


def lead_names(session: Session, absorbed_id: str, survivor_id: str) -> None:
    """Every name of one member, its own included, leads to another from now on."""
    with cursor(session) as led:
        led.execute("UPDATE identity SET customer_id = %s WHERE customer_id = %s", (survivor_id, absorbed_id))
        led.execute(_LINK, ([own_name(absorbed_id)], array([survivor_id])))


def led_here(session: Session, customer_ids: Iterable[str]) -> dict[str, str]:
    """Absorbed customer → survivor, of those among these customers and of those that lead to one of them."""
    with cursor(session) as found:
        found.execute(_LED, {"ids": array(customer_ids)})
        return dict(found.fetchall())
