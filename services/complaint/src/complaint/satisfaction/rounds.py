"""The form of a round: found, opened with the round, filled by the handler, closed by the answer."""

from __future__ import annotations

import uuid
from collections import defaultdict
from collections.abc import Collection
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from complaint.cases.tables import Complaint
from complaint.satisfaction.tables import Round


def the_round(session: Session, case: Complaint, at: datetime) -> Round:
    """The form of the case's present round. The first is opened with its first entry and dated back to the receipt."""
    found = session.get(Round, (case.id, case.round))
    return found or open_round(session, case, case.received_at if case.round == 1 else at)


def open_round(session: Session, case: Complaint, at: datetime) -> Round:
    """A new form for the case's present round, at its present level."""
    made = Round(
        complaint_id=case.id,
        round=case.round,
        form=f"{case.number}-{case.round}",
        level=case.level,
        opened_at=at,
        responsible=[],
        attempts=0,
        reached=False,
    )
    session.add(made)
    return made


def shown(session: Session, ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """The rounds of these cases, oldest first, as the API shows them."""
    found: dict[uuid.UUID, list[dict[str, Any]]] = defaultdict(list)
    rows = session.scalars(select(Round).where(Round.complaint_id.in_(ids)).order_by(Round.complaint_id, Round.round))
    for row in rows:
        found[row.complaint_id].append(one_shown(row))
    return found


def one_shown(row: Round) -> dict[str, Any]:
    """One form."""
    return {name: getattr(row, name) for name in SHOWN}


SHOWN = (
    "round", "form", "level", "opened_at", "cause", "cause_note", "responsible", "investigated_by", "investigated_at",
    "handler", "handler_role", "resolved_by", "resolved_at", "answer", "attempts", "last_attempt_at", "reached",
    "satisfaction", "comment", "answered_by", "answered_via", "answered_at", "because", "clause",
)  # fmt: skip
