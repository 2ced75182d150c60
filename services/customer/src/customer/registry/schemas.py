"""What the registry's resources take and answer, as documented."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import marshmallow as ma
from marshmallow import validate

from chassis.web import PageArgs, QuerySchema, Schema, fields
from customer.admission.domain import TRADE
from customer.registry import domain

_PROFILE_VALUES = (str, int, bool, type(None))


class PhoneNumber(fields.Text):
    """A phone, kept as E.164; short service numbers (12315) as they are."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        try:
            return domain.phone_number(super()._deserialize(value, attr, data, **kwargs))
        except ValueError as wrong:
            raise ma.ValidationError(str(wrong)) from None


class EmailAddress(fields.Text):
    """An e-mail address; the domain is kept in lower case."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        address = super()._deserialize(value, attr, data, **kwargs)
        validate.Email(error="is no e-mail address")(address)
        local, _, host = address.rpartition("@")
        return f"{local}@{host.lower()}"


class PhoneSchema(Schema):
    """One telephone number, the preferred first."""

    number = PhoneNumber(max=40, required=True, metadata={"examples": ["+86 138 0013 8000"]})
    label = fields.Line(max=60, allow_none=True)


class EmailSchema(Schema):
    """One e-mail address."""

    address = EmailAddress(max=254, required=True, metadata={"format": "email"})
    label = fields.Line(max=60, allow_none=True)


class AddressSchema(Schema):
    """One postal address with its administrative division."""

    text = fields.Line(max=300, required=True)
    division = fields.Line(max=12, allow_none=True)
    label = fields.Line(max=60, allow_none=True)


class IdentitySchema(Schema):
    """How another system knows the customer."""

    scheme = fields.Line(max=32, required=True, metadata={"pattern": "^[a-z][a-z0-9_.-]{0,31}$", "examples": ["card"]})
    value = fields.Line(max=200, required=True, metadata={"examples": ["8801"]})

    @ma.validates_schema
    def _known_form(self, data: Mapping[str, Any], **_: Any) -> None:
        try:
            domain.identity_text(data["scheme"], data["value"])
        except ValueError as wrong:
            raise ma.ValidationError(str(wrong), "scheme") from None


class SpecialDateSchema(Schema):
    """A date to remember, solar or lunar."""

    kind = fields.Line(
        max=60,
        required=True,
        metadata={"pattern": "^[a-z][a-z0-9_.-]{0,63}$"},
        validate=validate.Regexp(r"[a-z][a-z0-9_.-]{0,63}\Z"),
    )
    calendar = fields.String(load_default="solar", validate=validate.OneOf(["solar", "lunar"]))
    date = fields.Day(allow_none=True)
    month = fields.Whole(min=1, max=12, allow_none=True)
    day = fields.Whole(min=1, max=31, allow_none=True)
    leap_month = fields.Flag(load_default=False)


class Profile(fields.Dict):
    """Free facts by name: text, whole number, true or false; null takes one away."""

    def __init__(self, **kwargs: Any) -> None:
        fact = {"type": ["string", "integer", "boolean", "null"], "maxLength": 1000, "pattern": r"^[^\u0000]*$"}
        super().__init__(metadata={"maxProperties": 100, "additionalProperties": fact}, **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> dict[str, Any]:
        profile = super()._deserialize(value, attr, data, **kwargs)
        if len(profile) > 100:
            raise ma.ValidationError("at most 100 facts")
        wrong = {
            name: ["a text of at most 1000 characters, a whole number, true or false belongs here"]
            for name, fact in profile.items()
            if not isinstance(fact, _PROFILE_VALUES) or len(str(fact)) > 1000 or not 0 < len(name) <= 60
        }
        if wrong:
            raise ma.ValidationError(wrong)
        return dict(profile)


class ProvenanceSchema(Schema):
    """Where the facts come from (CG-01)."""

    collected_by = fields.Line(max=100, metadata={"description": "who found them, if not the caller"})
    department = fields.Line(max=100, metadata={"examples": ["sales", "market_research", "after_sales"]})
    collected_at = fields.Instant()
    reason = fields.Text(max=1000, metadata={"description": "why they change"})


class FactsSchema(Schema):
    """What may be said of a customer at registration and later."""

    name = fields.Line(max=200)
    kind = fields.String(validate=validate.OneOf(domain.KINDS))
    stage = fields.String(validate=validate.OneOf(domain.STAGES))
    value_class = fields.String(allow_none=True, validate=validate.OneOf(domain.VALUE_CLASSES))
    unit = fields.Line(max=64, allow_none=True, metadata={"description": "code of the unit that keeps the relation"})
    owner = fields.Line(max=64, allow_none=True, metadata={"description": "username of the account manager"})
    birthday = fields.Day(allow_none=True)
    special_dates = fields.List(fields.Nested(SpecialDateSchema), validate=validate.Length(max=50))
    phones = fields.List(fields.Nested(PhoneSchema), validate=validate.Length(max=20))
    emails = fields.List(fields.Nested(EmailSchema), validate=validate.Length(max=20))
    addresses = fields.List(fields.Nested(AddressSchema), validate=validate.Length(max=20))
    tags = fields.List(fields.Line(max=60), validate=validate.Length(max=50))
    profile = Profile()
    referred_by = fields.Uuid(allow_none=True, metadata={"description": "the customer who brought them"})
    provenance = fields.Nested(ProvenanceSchema)

    @ma.post_load
    def _once_each(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        for member, key in (("phones", "number"), ("emails", "address")):
            if member in data:
                data[member] = list({item[key]: item for item in reversed(data[member])}.values())[::-1]
        if "tags" in data:
            data["tags"] = sorted(set(data["tags"]))
        for date in data.get("special_dates", ()):
            if date.get("date"):
                date["date"] = date["date"].isoformat()
        return data


class NewCustomerSchema(FactsSchema):
    """``POST customers``."""

    name = fields.Line(max=200, required=True)
    kind = fields.String(required=True, validate=validate.OneOf(domain.KINDS))
    identities = fields.List(fields.Nested(IdentitySchema), validate=validate.Length(max=50))
    force = fields.Flag(load_default=False, metadata={"description": "register although a very like customer is known"})

    @ma.post_load
    def _identities_once(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        if "identities" in data:
            data["identities"] = list({(i["scheme"], i["value"]): i for i in data["identities"]}.values())
        return data


class ChangesSchema(FactsSchema):
    """``PATCH customers/{id}``: members that are given replace what is there; null takes away."""

    status = fields.String(validate=validate.OneOf(domain.STATUSES))


class CustomersArgs(PageArgs):
    """Filters of the customer list."""

    q = fields.Text(max=100, metadata={"description": "name, reading, initials, code, phone, e-mail or identity"})
    identity = fields.Text(max=240, metadata={"examples": ["card:8801"]})
    ids = fields.Text(
        max=7_400, metadata={"description": "these customers, by id, with commas between; unknown ones are left out"}
    )
    kind = fields.String(validate=validate.OneOf(domain.KINDS))
    status = fields.String(validate=validate.OneOf(domain.STATUSES))
    grade = fields.Text(max=64)
    unit = fields.Text(max=64, metadata={"description": "the unit and those below it"})
    owner = fields.Text(max=64)
    standing = fields.String(validate=validate.OneOf(TRADE))
    tag = fields.Text(max=60)
    stale = fields.Flag(metadata={"description": "not confirmed for as long as the pack allows (CG-03)"})
    class_ = fields.Text(max=130, data_key="class", metadata={"examples": ["frequency:high"]})


class RecognisedArgs(QuerySchema):
    """A telephone number as somebody typed it."""

    phone = fields.Text(max=40, required=True)


class RecognisedSchema(Schema):
    """The one customer with this number; null: nobody, or several."""

    customer_id = fields.Uuid(required=True, allow_none=True)


class ReasonSchema(Schema):
    """What stands against trading."""

    code = fields.String(required=True)
    scope = fields.String(required=True)
    unit = fields.String(required=True, allow_none=True)
    until = fields.Instant(required=True, allow_none=True)
    clause = fields.String(required=True, allow_none=True)


class StandingSchema(Schema):
    """May we trade with them now."""

    may_trade = fields.Flag(required=True)
    reasons = fields.List(fields.Nested(ReasonSchema), required=True)


class StandingArgs(QuerySchema):
    """For which unit."""

    unit = fields.Text(max=64)


class CustomerSchema(Schema):
    """One customer."""

    id = fields.Uuid(required=True)
    code = fields.String(required=True)
    kind = fields.String(required=True)
    name = fields.String(required=True)
    pinyin = fields.String(required=True)
    status = fields.String(required=True)
    stage = fields.String(required=True)
    value_class = fields.String(required=True, allow_none=True)
    unit = fields.String(required=True, allow_none=True)
    owner = fields.String(required=True, allow_none=True)
    birthday = fields.Day(required=True, allow_none=True)
    special_dates = fields.List(fields.Dict(), required=True)
    phones = fields.List(fields.Dict(), required=True)
    emails = fields.List(fields.Dict(), required=True)
    addresses = fields.List(fields.Dict(), required=True)
    identities = fields.List(fields.Dict(), required=True)
    tags = fields.List(fields.String(), required=True)
    profile = fields.Dict(required=True)
    grade = fields.String(required=True)
    grade_detail = fields.Dict(required=True)
    classes = fields.Dict(required=True)
    standing = fields.Nested(StandingSchema, required=True)
    referred_by = fields.Uuid(required=True, allow_none=True)
    registered_at = fields.Instant(required=True)
    registered_by = fields.String(required=True)
    updated_at = fields.Instant(required=True)
    confirmed_at = fields.Instant(required=True)
    version = fields.Whole(required=True)


class LinkedIdentitySchema(Schema):
    """An identity and since when it counts."""

    scheme = fields.String(required=True)
    value = fields.String(required=True)
    linked_at = fields.Instant(required=True)
    linked_by = fields.String(required=True)


class ChangeSchema(Schema):
    """One change of one field (CG-03)."""

    field = fields.String(required=True)
    old = fields.Raw(required=True, allow_none=True)
    new = fields.Raw(required=True, allow_none=True)
    by = fields.String(required=True)
    collected_by = fields.String(required=True)
    department = fields.String(required=True, allow_none=True)
    collected_at = fields.Instant(required=True)
    why = fields.String(required=True, allow_none=True)
    at = fields.Instant(required=True)
    version = fields.Whole(required=True)


class HistoryArgs(PageArgs):
    """Which changes."""

    field = fields.Text(max=64)


class TagsSchema(Schema):
    """Tags to put on a customer."""

    tags = fields.List(fields.Line(max=60), required=True, validate=validate.Length(min=1, max=50))


class TagListSchema(Schema):
    """The tags of a customer."""

    tags = fields.List(fields.String(), required=True)
