"""Links whose time is over are cleared away; nobody could tell them from ones that never were."""

from __future__ import annotations

from sqlalchemy import delete, select

from chassis.runtime import Context
from chassis.service import Schedule
from complaint.links.tables import PersonalLink

MOST = 5_000  # a night's step


def clear_links(context: Context) -> bool:
    """Delete what has run out; True while there is more."""
    old = select(PersonalLink.id).where(PersonalLink.expires_at <= context.clock.now()).limit(MOST)
    gone = context.session.execute(delete(PersonalLink).where(PersonalLink.id.in_(old.scalar_subquery())))
    return bool(gone.rowcount == MOST)  # type: ignore[attr-defined]


SCHEDULES = (Schedule("clear-links", "40 3 * * *", clear_links),)
