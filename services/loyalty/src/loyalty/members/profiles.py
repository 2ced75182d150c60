"""What segments and reviews ask of a member, as the registry last said it; written with the member row, set-based."""

from __future__ import annotations

from collections.abc import Sequence

import orjson
from sqlalchemy.orm import Session

from loyalty.ledger.statements import array, cursor
from loyalty.members.domain import CustomerState

_KEEP = """
    INSERT INTO member_profile (customer_id, grade, classes, tags, flags, blacklisted)
    SELECT id, grade, classes, ARRAY(SELECT jsonb_array_elements_text(tags)),
           ARRAY(SELECT jsonb_array_elements_text(flags)), blacklisted
    FROM unnest(%s::uuid[], %s::text[], %s::jsonb[], %s::jsonb[], %s::jsonb[], %s::bool[])
        AS n (id, grade, classes, tags, flags, blacklisted) ORDER BY id
    ON CONFLICT (customer_id) DO UPDATE SET grade = excluded.grade, classes = excluded.classes, tags = excluded.tags,
        flags = excluded.flags, blacklisted = excluded.blacklisted
"""


def keep_profiles(session: Session, states: Sequence[CustomerState]) -> None:
    """Keep the newest profile of each; the caller has seen that it is the newest, and serialises the writers."""
    with cursor(session) as rows:
        rows.execute(
            _KEEP,
            (
                array(state.customer_id for state in states),
                [state.grade for state in states],
                [orjson.dumps(state.classes).decode() for state in states],
                [orjson.dumps(state.tags).decode() for state in states],
                [orjson.dumps(state.flags).decode() for state in states],
                [state.blacklisted for state in states],
            ),
        )
