"""A round as it is shown."""

from __future__ import annotations

from chassis.web import Schema, fields


class RoundSchema(Schema):
    """One pass from handling to call-back: the form, the answer to the customer, and the customer's answer."""

    round = fields.Whole(min=1, required=True)
    form = fields.String(required=True, metadata={"description": "number of this round's form"})
    level = fields.Whole(min=1, max=3, required=True)
    opened_at = fields.Instant(required=True)
    cause = fields.String(required=True, allow_none=True)
    cause_note = fields.String(required=True, allow_none=True)
    responsible = fields.List(fields.String(), required=True)
    investigated_by = fields.String(required=True, allow_none=True)
    investigated_at = fields.Instant(required=True, allow_none=True)
    handler = fields.String(
        required=True, allow_none=True, metadata={"description": "who had it when it was resolved: the score is theirs"}
    )
    handler_role = fields.String(required=True, allow_none=True)
    resolved_by = fields.String(required=True, allow_none=True)
    resolved_at = fields.Instant(required=True, allow_none=True)
    answer = fields.String(required=True, allow_none=True, metadata={"description": "what the customer was told"})
    attempts = fields.Whole(min=0, required=True, metadata={"description": "tries to reach the customer"})
    last_attempt_at = fields.Instant(required=True, allow_none=True)
    reached = fields.Flag(required=True)
    satisfaction = fields.Whole(min=1, max=5, required=True, allow_none=True)
    comment = fields.String(required=True, allow_none=True)
    answered_by = fields.String(required=True, allow_none=True)
    answered_via = fields.Choice("call", "link", required=True, allow_none=True)
    answered_at = fields.Instant(required=True, allow_none=True)
    because = fields.String(required=True, allow_none=True, metadata={"description": "what the gate decided, and why"})
    clause = fields.String(required=True, allow_none=True)
