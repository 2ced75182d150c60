"""One customer's grade, set outside a run: a decision on them, not on the population."""

from __future__ import annotations

from sqlalchemy.dialects.postgresql import insert

from chassis.runtime import Context
from chassis.web.fields import instant
from customer.archive.use_cases import HERE, remember_many
from customer.registry.tables import CustomerRow
from customer.registry.use_cases import announce_state
from customer.segmentation.statements import GRADE
from customer.segmentation.tables import SegmentRow


def set_grade(context: Context, customer: CustomerRow, grade: str, clause: str, why: str) -> None:
    """Give a locked customer a grade outside a run (re-entry after the blacklist); nothing happens if they have it."""
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    known = session.get(SegmentRow, (customer.id, GRADE), populate_existing=True)
    previous = known.value if known else policy.rules.grade_scheme.otherwise
    if previous == grade:
        return
    values = {
        "customer_id": customer.id, "scheme": GRADE, "value": grade, "since": now, "run_id": None, "clause": clause,
        "policyversion": policy.version, "score": None, "detail": {"reason": why},
    }  # fmt: skip
    changes = {name: value for name, value in values.items() if name not in ("customer_id", "scheme")}
    session.execute(
        insert(SegmentRow).values(values).on_conflict_do_update(index_elements=["customer_id", "scheme"], set_=changes)
    )
    customer.version += 1
    customer.updated_at = now
    session.flush()
    entry = {"previous": previous, "value": grade, "clause": clause, "reason": why}
    remember_many(session, [(customer.id, now, "grade", "customer.graded", entry, HERE)])
    more = {"previous": previous, "run": None, "effective_at": instant(now), "reason": why, "clause": clause}
    announce_state(session, "customer.graded.v1", customer, policy, more)
