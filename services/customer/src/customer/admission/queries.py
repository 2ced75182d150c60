"""Reading blacklist entries."""

from __future__ import annotations

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from customer.admission.domain import LIFTED, Entry
from customer.admission.tables import BlacklistEntryRow


def open_entries(session: Session, customer_id: UUID) -> list[Entry]:
    """Every entry that blocks somewhere, oldest first: in force, or lapsed and not yet evaluated (AD-06)."""
    table = BlacklistEntryRow.__table__.c
    statement = select(table.scope, table.unit, table.status, table.until, table.clause)
    statement = statement.where(table.customer_id == customer_id, table.status != LIFTED).order_by(table.id)
    return [Entry(*row) for row in session.execute(statement)]
