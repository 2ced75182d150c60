"""What everybody is shown of a case's clocks: how much of the time is used, how late it is, and the sum behind it."""

from __future__ import annotations

import uuid
from collections.abc import Collection, Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.timing.calendar import WorkingCalendar
from complaint.clocks import domain
from complaint.clocks.calendars import calendar_now
from complaint.clocks.tables import Clock
from complaint.clocks.use_cases import MISSED, SHOWN, is_working, late

ORDER = (Clock.round, Clock.due_at, Clock.kind, Clock.sequence)  # oldest round first, then what is due first
_AS_IT_IS = (
    "id", "kind", "started_at", "due_at", "warn_at", "explanation", "provisional", "clause", "policyversion", "round",
    "level", "warned_at", "breached_at", "escalated_at", "paused_since", "met_at", "ended_at",
)  # fmt: skip


def shown(session: Session, complaint_ids: Collection[uuid.UUID]) -> dict[uuid.UUID, list[dict[str, Any]]]:
    """Every clock of these cases."""
    lists: dict[uuid.UUID, list[dict[str, Any]]] = {complaint_id: [] for complaint_id in complaint_ids}
    clocks = list(session.scalars(select(Clock).where(Clock.complaint_id.in_(lists)).order_by(*ORDER)))
    if clocks:
        now = session.info["clock"].now()
        calendar = calendar_now(session, session.info["policies"].in_force().company)
        for clock in clocks:
            lists[clock.complaint_id].append(one_shown(clock, now, calendar))
    return lists


def in_order(clocks: Iterable[Clock]) -> list[Clock]:
    """As ``ORDER`` has them, for clocks that are at hand."""
    return sorted(clocks, key=lambda clock: (clock.round, clock.due_at, clock.kind, clock.sequence))


def one_shown(clock: Clock, now: datetime, calendar: WorkingCalendar) -> dict[str, Any]:
    """One clock as it stands at ``now``."""
    until = clock.ended_at or clock.paused_since or now
    left = domain.spent(until, clock.due_at, calendar, working=is_working(clock))
    over = clock.status == MISSED and clock.ended_at is None
    return {
        **{name: getattr(clock, name) for name in _AS_IT_IS},
        "status": SHOWN.get(clock.status, clock.status),
        "used": domain.used(clock.budget_seconds, left),
        "late_seconds": late(clock, now, calendar) if over else clock.late_seconds,
    }
