"""What ``complaints`` answers: a case in a list, a case with everything of it, its history, the counts."""

from __future__ import annotations

from chassis.web import Schema, fields
from complaint.cases.schemas import ValueSchema
from complaint.satisfaction.schemas import RoundSchema


class ClockSchema(Schema):
    """A deadline with its calculation."""

    id = fields.Uuid(required=True)
    kind = fields.String(required=True)
    status = fields.Choice("running", "paused", "met", "breached", "stopped", required=True)
    round = fields.Whole(min=1, required=True)
    level = fields.Whole(min=1, max=3, required=True)
    started_at = fields.Instant(required=True)
    due_at = fields.Instant(required=True)
    warn_at = fields.Instant(required=True, metadata={"description": "when a warning goes out"})
    used = fields.String(required=True, allow_none=True, metadata={"description": "share of the time, from 0"})
    explanation = fields.String(required=True)
    provisional = fields.Flag(required=True)
    clause = fields.String(required=True, allow_none=True)
    policyversion = fields.String(required=True, allow_none=True)
    warned_at = fields.Instant(required=True, allow_none=True)
    breached_at = fields.Instant(required=True, allow_none=True)
    escalated_at = fields.Instant(required=True, allow_none=True)
    paused_since = fields.Instant(required=True, allow_none=True)
    met_at = fields.Instant(required=True, allow_none=True)
    ended_at = fields.Instant(required=True, allow_none=True)
    late_seconds = fields.Whole(required=True, allow_none=True, metadata={"description": "in working seconds"})


class AgainstShownSchema(Schema):
    """Whom or what it is against."""

    kind = fields.String(required=True)
    ref = fields.String(required=True, allow_none=True)


class LevelReasonSchema(Schema):
    """Why it has its level."""

    level = fields.Whole(required=True)
    clause = fields.String(required=True, allow_none=True)
    because = fields.String(required=True)


class SummarySchema(Schema):
    """A case in a list."""

    id = fields.Uuid(required=True)
    number = fields.String(required=True)
    type = fields.String(required=True)
    channel = fields.String(required=True)
    status = fields.String(required=True)
    level = fields.Whole(min=1, max=3, required=True)
    round = fields.Whole(min=1, required=True)
    category = fields.String(required=True, allow_none=True)
    subject = fields.String(required=True)
    customer_id = fields.Uuid(required=True, allow_none=True)
    customer_name = fields.String(required=True, allow_none=True)
    grade = fields.String(required=True, allow_none=True, metadata={"description": "of the customer (AD-07)"})
    verified = fields.Flag(required=True, metadata={"description": "the customer is in the registry"})
    anonymous = fields.Flag(required=True)
    unit = fields.String(required=True, allow_none=True)
    handler = fields.String(required=True, allow_none=True)
    handler_role = fields.String(required=True)
    received_at = fields.Instant(required=True)
    next_due_at = fields.Instant(required=True, allow_none=True)
    breached = fields.Flag(required=True)
    executive = fields.Flag(required=True)
    closed_at = fields.Instant(required=True, allow_none=True)
    outcome = fields.String(required=True, allow_none=True)
    satisfaction = fields.Whole(required=True, allow_none=True)
    clocks = fields.List(fields.Nested(ClockSchema), required=True)


class ComplainantShownSchema(Schema):
    """Who said it; masked for auditors."""

    name = fields.String(required=True, allow_none=True)
    phone = fields.String(required=True, allow_none=True)
    email = fields.String(required=True, allow_none=True)


class CaseSchema(SummarySchema):
    """One case, everything of it."""

    description = fields.String(required=True)
    wanted = fields.String(required=True, allow_none=True)
    details = fields.Dict(required=True)
    insists = fields.Flag(required=True)
    value = fields.Nested(ValueSchema, required=True, allow_none=True)
    complainant = fields.Nested(ComplainantShownSchema, required=True, allow_none=True)
    locale = fields.String(required=True, allow_none=True)
    against = fields.Nested(AgainstShownSchema, required=True, allow_none=True)
    hidden_from = fields.List(fields.Dict(), required=True)
    level_reason = fields.Nested(LevelReasonSchema, required=True)
    department = fields.String(required=True, allow_none=True)
    founded = fields.Flag(required=True, allow_none=True)
    cause = fields.String(required=True, allow_none=True)
    waiting_from = fields.String(required=True, allow_none=True)
    repeat_of = fields.Uuid(required=True, allow_none=True)
    approval_needed = fields.Flag(required=True)
    proposed_by = fields.String(required=True, allow_none=True)
    compensated = fields.Money(required=True)
    created_at = fields.Instant(required=True)
    created_by = fields.String(required=True)
    acknowledged_at = fields.Instant(required=True, allow_none=True)
    first_contacted_at = fields.Instant(required=True, allow_none=True)
    resolved_at = fields.Instant(required=True, allow_none=True)
    policyversion = fields.String(required=True)
    version = fields.Points(required=True)
    rounds = fields.List(fields.Nested(RoundSchema), required=True)
    allowed = fields.List(fields.String(), required=True, metadata={"description": "what the caller may do now"})


class StepSchema(Schema):
    """A line of the history."""

    id = fields.Points(required=True)
    round = fields.Whole(required=True)
    action = fields.String(required=True)
    from_status = fields.String(required=True, allow_none=True)
    to_status = fields.String(required=True)
    by = fields.String(required=True)
    by_role = fields.String(required=True, allow_none=True)
    at = fields.Instant(required=True)
    note = fields.String(required=True, allow_none=True)
    data = fields.Dict(required=True)
    clause = fields.String(required=True, allow_none=True)


class CountsSchema(Schema):
    """How many open cases the caller may know of."""

    open = fields.Whole(required=True)
    breached = fields.Whole(required=True)
    due_today = fields.Whole(required=True)
    mine = fields.Whole(required=True)
    by_status = fields.Dict(keys=fields.String(), values=fields.Whole(), required=True)
    by_level = fields.Dict(keys=fields.String(), values=fields.Whole(), required=True)
