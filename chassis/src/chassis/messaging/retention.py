"""How long messages are kept after they did their work; swept in small steps, so that nothing waits for it.

Never swept: outbox rows that are pending or failed, dead letters that wait for a person.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from chassis.runtime import Context
from chassis.service import Schedule

BODIES_KEPT = timedelta(days=14)  # raw bodies of the inbox, for resync (decision 9)
CLAIMS_KEPT = timedelta(days=3 * 365)  # longer than any replay: events are taken up to two years late
PUBLISHED_KEPT = timedelta(days=14)
LETTERS_KEPT = timedelta(days=180)  # replayed and dropped ones
_STEP = 5000  # rows per transaction

_BODIES = """
    UPDATE chassis.inbox SET body = NULL WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM chassis.inbox WHERE received_at < :before AND body IS NOT NULL LIMIT :step))
"""
_CLAIMS = """
    DELETE FROM chassis.inbox WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM chassis.inbox WHERE received_at < :before LIMIT :step))
"""
_PUBLISHED = """
    DELETE FROM chassis.outbox WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM chassis.outbox WHERE created_at < :before AND status = 'published' LIMIT :step))
"""
_LETTERS = """
    DELETE FROM chassis.dead_letter WHERE id = ANY(ARRAY(
        SELECT id FROM chassis.dead_letter
        WHERE status IN ('replayed', 'dropped') AND last_at < :before AND decided_at < :before LIMIT :step))
"""


def _sweep(statement: str, kept: timedelta) -> Any:
    def run(context: Context) -> bool:
        swept = context.session.execute(text(statement), {"before": context.clock.now() - kept, "step": _STEP})
        return bool(swept.rowcount >= _STEP)  # type: ignore[attr-defined]

    return run


SCHEDULES = (
    Schedule("messaging.inbox-bodies", "17 * * * *", _sweep(_BODIES, BODIES_KEPT)),
    Schedule("messaging.inbox-claims", "40 3 * * *", _sweep(_CLAIMS, CLAIMS_KEPT)),
    Schedule("messaging.outbox", "27 * * * *", _sweep(_PUBLISHED, PUBLISHED_KEPT)),
    Schedule("messaging.dead-letters", "50 3 * * *", _sweep(_LETTERS, LETTERS_KEPT)),
)
