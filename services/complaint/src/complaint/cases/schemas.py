"""What is sent to ``complaints``: the form, the bodies of the actions, the filters of the list."""

from __future__ import annotations

from typing import Any

import marshmallow as ma

from chassis.web import PageArgs, Schema, fields
from complaint.policy.rules import TYPES

AGAINST = ("product", "store", "department", "staff", "policy")
NOTE = 4000


class ComplainantSchema(Schema):
    """Who says it, where they are not (known as) a customer."""

    name = fields.Line(100, load_default=None, allow_none=True)
    phone = fields.Line(40, load_default=None, allow_none=True)
    email = fields.Line(200, load_default=None, allow_none=True)

    @ma.validates_schema
    def says_something(self, data: dict[str, Any], **_: Any) -> None:
        if not any(data.values()):
            raise ma.ValidationError("give a name, a phone or an e-mail address")


class AgainstSchema(Schema):
    """Whom or what it is against; a member of staff by username."""

    kind = fields.Choice(*AGAINST, required=True)
    ref = fields.Line(128, load_default=None, allow_none=True)


class ValueSchema(Schema):
    """Money at stake."""

    amount = fields.Money(min="0", required=True)
    currency = fields.Line(3, load_default="CNY")


class IntakeSchema(Schema):
    """``POST complaints``."""

    type = fields.Choice(*TYPES, load_default="complaint")
    customer_id = fields.Uuid(load_default=None, allow_none=True)
    complainant = fields.Nested(ComplainantSchema, load_default=None, allow_none=True)
    anonymous = fields.Flag(load_default=False)
    channel = fields.Line(40, required=True)
    subject = fields.Line(200, required=True)
    description = fields.Text(8000, required=True)
    category = fields.Line(64, load_default=None, allow_none=True)
    value = fields.Nested(ValueSchema, load_default=None, allow_none=True)
    against = fields.Nested(AgainstSchema, load_default=None, allow_none=True)
    insists = fields.Flag(load_default=False, metadata={"description": "on a superior"})
    wanted = fields.Text(
        2000, load_default=None, allow_none=True, metadata={"description": "the solution that the customer wants"}
    )
    details = fields.Dict(
        keys=fields.Line(40), values=fields.Line(500), load_default=dict, validate=ma.validate.Length(max=40),
        metadata={"description": "cause, time, place, product, batch, order, persons …"},
    )  # fmt: skip
    unit = fields.Line(64, load_default=None, allow_none=True)
    received_at = fields.Instant(
        load_default=None, allow_none=True, metadata={"description": "when the customer said it, if before now"}
    )
    locale = fields.Choice("zh-CN", "en", load_default=None, allow_none=True)


class AmendSchema(Schema):
    """``PATCH complaints/{id}``: what was written down wrongly, or is known only now."""

    type = fields.Choice(*TYPES)
    subject = fields.Line(200)
    description = fields.Text(8000)
    category = fields.Line(64, allow_none=True)
    value = fields.Nested(ValueSchema, allow_none=True)
    against = fields.Nested(AgainstSchema, allow_none=True)
    insists = fields.Flag()
    wanted = fields.Text(2000, allow_none=True)
    details = fields.Dict(keys=fields.Line(40), values=fields.Line(500), validate=ma.validate.Length(max=40))
    customer_id = fields.Uuid()
    locale = fields.Choice("zh-CN", "en", allow_none=True)


class EmptySchema(Schema):
    """Nothing to say."""


class ContactSchema(Schema):
    """The complainant was called, or tried to be."""

    kind = fields.Choice("first", "progress", load_default="first")
    reached = fields.Flag(load_default=True)
    note = fields.Text(NOTE, load_default=None, allow_none=True)


class ProgressSchema(Schema):
    """The customer was told how it goes."""

    note = fields.Text(NOTE, required=True)
    reached = fields.Flag(load_default=True)


class TriageSchema(Schema):
    """Judge and sort."""

    founded = fields.Flag(required=True)
    category = fields.Line(64, load_default=None, allow_none=True)
    department = fields.Line(128, load_default=None, allow_none=True)
    note = fields.Text(NOTE, load_default=None, allow_none=True)


class AssignSchema(Schema):
    """Give it to somebody."""

    handler = fields.Line(128, required=True)
    note = fields.Text(NOTE, load_default=None, allow_none=True)


class WaitSchema(Schema):
    """``for``: what the customer is waited for."""

    locals()["for"] = fields.Text(NOTE, required=True)


class ReasonSchema(Schema):
    """Why."""

    reason = fields.Text(NOTE, required=True)


class InvestigateSchema(Schema):
    """The cause, and who is responsible for it."""

    cause = fields.Line(128, required=True)
    note = fields.Text(NOTE, required=True)
    responsible = fields.List(fields.Line(128), load_default=list, validate=ma.validate.Length(max=20))


class CompensationSchema(Schema):
    """Points or money."""

    points = fields.Points(min=1, max=10**9, load_default=None, allow_none=True)
    amount = fields.Money(places=2, min="0.01", load_default=None, allow_none=True)
    currency = fields.Line(3)

    @ma.validates_schema
    def one_of_them(self, data: dict[str, Any], **_: Any) -> None:
        if (data["points"] is None) == (data["amount"] is None):
            raise ma.ValidationError("give points, or an amount with its currency")


class ProposeSchema(Schema):
    """What shall be done for the customer."""

    measures = fields.Text(NOTE, required=True)
    compensation = fields.Nested(CompensationSchema, load_default=None, allow_none=True)


class AgreeSchema(Schema):
    """Agree to it."""

    note = fields.Text(NOTE, load_default=None, allow_none=True)


class ResolveSchema(Schema):
    """Tell the customer."""

    answer = fields.Text(8000, required=True)


class CompensateSchema(CompensationSchema):
    """Grant something at once, within one's own authority over the whole case."""

    reason = fields.Text(NOTE, required=True)


class AttemptSchema(Schema):
    """The customer was called and not reached."""

    note = fields.Text(NOTE, required=True)


class AnswerToCallBackSchema(Schema):
    """The customer's answer."""

    satisfaction = fields.Whole(min=1, max=5, required=True, metadata={"description": "1 very satisfied … 5"})
    comment = fields.Text(NOTE, load_default=None, allow_none=True)


class PromiseSchema(Schema):
    """A date that the customer is given; a later one needs its reason."""

    due_at = fields.Instant(required=True)
    reason = fields.Text(NOTE, required=True)


class HandOverSchema(Schema):
    """``POST complaints/hand-over``: all open cases of somebody, in one action."""

    locals()["from"] = fields.Line(128, required=True)
    to = fields.Line(128, load_default=None, allow_none=True)
    reason = fields.Text(NOTE, required=True)


class HandedOverSchema(Schema):
    """What became of them."""

    moved = fields.List(fields.String(), required=True, metadata={"description": "numbers of the cases"})
    left = fields.List(fields.String(), required=True, metadata={"description": "for whom nobody could be found"})


class ListArgs(PageArgs):
    """Filters are named after fields; ``q`` finds numbers, subjects, names of customers, whole telephone numbers."""

    status = fields.Line(40, load_default=None)
    open = fields.Flag(load_default=None)
    type = fields.Choice(*TYPES, load_default=None)
    level = fields.Whole(min=1, max=3, load_default=None)
    handler = fields.Line(128, load_default=None)
    unit = fields.Line(64, load_default=None, metadata={"description": "the unit and those below it"})
    category = fields.Line(64, load_default=None)
    channel = fields.Line(40, load_default=None)
    customer_id = fields.Uuid(load_default=None)
    breached = fields.Flag(load_default=None)
    executive = fields.Flag(load_default=None)
    outcome = fields.Line(40, load_default=None, metadata={"description": "satisfied, not_reached, withdrawn, …"})
    approval_needed = fields.Flag(load_default=None, metadata={"description": "a proposal waits for who may approve"})
    q = fields.Line(100, load_default=None)
    order = fields.Choice("queue", "newest", load_default="newest")
