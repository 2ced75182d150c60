"""What strangers may send and are told. Values are checked by the complaint service; here only shape and size."""

from __future__ import annotations

from marshmallow.validate import Length

from chassis.web import Schema, fields

TYPES = ("complaint", "inquiry", "opinion", "suggestion", "report", "praise")
AGAINST = ("product", "store", "department", "staff", "policy")
LOCALES = ("zh-CN", "en")


class ComplainantSchema(Schema):
    """How to reach whoever complains."""

    name = fields.Text(100)
    phone = fields.Text(40)
    email = fields.Text(200)


class AgainstSchema(Schema):
    """Whom or what it is about."""

    kind = fields.Choice(*AGAINST, required=True)
    ref = fields.Text(100)


class ValueSchema(Schema):
    """What is at stake."""

    amount = fields.Money(places=2, min="0", required=True)
    currency = fields.Text(3, required=True)


class PortalComplaintSchema(Schema):
    """A complaint from outside. ``website`` is a trap for programs that fill in everything: leave it empty."""

    complainant = fields.Nested(ComplainantSchema)
    type = fields.Choice(*TYPES, load_default="complaint")
    subject = fields.Text(200, required=True)
    description = fields.Text(10_000, required=True)
    category = fields.Text(60)
    against = fields.Nested(AgainstSchema)
    value = fields.Nested(ValueSchema)
    insists = fields.Flag()
    wanted = fields.Text(1000)
    details = fields.Dict(keys=fields.Line(40), values=fields.Line(500), validate=Length(max=40))
    locale = fields.Choice(*LOCALES)
    website = fields.Text(200, blank=True, load_default="")
    challenge = fields.Text(200, required=True)
    solution = fields.Text(20, required=True)


class TakenSchema(Schema):
    """What everyone is told who hands in a complaint, whoever they are."""

    number = fields.String(required=True)
    link = fields.String(required=True, allow_none=True, metadata={"description": "path of the personal page"})


class ChallengeSchema(Schema):
    """Find a whole number so that SHA-256 of ``<challenge>:<number>`` begins with ``bits`` zero bits."""

    challenge = fields.String(required=True)
    bits = fields.Whole(required=True)
    expires_at = fields.Instant(required=True)


class ExpectedSchema(Schema):
    """What will have happened by when."""

    step = fields.String(required=True, metadata={"description": "first_contact, answer, progress, resolution, …"})
    due_at = fields.Instant(required=True)
    provisional = fields.Flag(metadata={"description": "beyond the calendar's last published year"})


class UpdateSchema(Schema):
    """Something that was done."""

    at = fields.Instant(required=True)
    kind = fields.String(required=True, metadata={"description": "received, acknowledged, contacted, resolved, …"})
    text = fields.String(required=True, metadata={"description": "our answer in its own words; else empty"})


class FollowSchema(Schema):
    """A case as its complainant sees it."""

    number = fields.String(required=True)
    status = fields.String(required=True)
    round = fields.Whole(required=True)
    subject = fields.String(required=True, allow_none=True)
    received_at = fields.Instant(required=True)
    expected = fields.List(fields.Nested(ExpectedSchema), required=True)
    handler_name = fields.String(required=True, allow_none=True)
    handler_phone = fields.String(required=True, allow_none=True)
    updates = fields.List(fields.Nested(UpdateSchema), required=True)
    may_answer = fields.Flag(required=True)
    expires_at = fields.Instant(required=True)
    scale = fields.Dict(keys=fields.String(), values=fields.String(), required=True)


class PortalAnswerSchema(Schema):
    """1 very satisfied, 2 satisfied, 3 can understand it, 4 dissatisfied, 5 very dissatisfied."""

    satisfaction = fields.Whole(1, 5, required=True)
    comment = fields.Text(2000)


class AnsweredSchema(Schema):
    """What became of it: ``closed``, or back in hand with somebody else."""

    status = fields.String(required=True)
    round = fields.Whole(required=True)
