"""``preferences``, ``consents``, ``suppressions``: what those who are written to allow."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response
from sqlalchemy import select

from chassis.web import Blueprint, Page, PageArgs, answer, etag, glance, requires, work
from notify.recipients import wishes
from notify.recipients.schemas import (
    ConsentSchema,
    PreferenceSchema,
    PreferringSchema,
    SayingSchema,
    SuppressingSchema,
    SuppressionsArgs,
    SuppressionSchema,
)
from notify.recipients.tables import Consent, Preference, Suppression
from notify.recipients.use_cases import say_consent

blueprint = Blueprint("recipients", __name__, description="Preferences, consents, and addresses to be left alone")


@blueprint.get("/preferences/<uuid:customer_id>")
@requires("preferences:read")
@blueprint.response(200, PreferenceSchema)
def preferences(customer_id: UUID) -> Response:
    """How a customer wants to be written to"""
    at = glance()
    wishes.the_customer(at.session, at.principal, customer_id)
    return _preference(wishes.preferred(at.session, customer_id))


@blueprint.patch("/preferences/<uuid:customer_id>")
@requires("preferences:write", if_match=True)
@blueprint.arguments(PreferringSchema)
@blueprint.response(200, PreferenceSchema)
def prefer(body: dict[str, Any], customer_id: UUID) -> Response:
    """Change some of it; service messages can't be switched off, only sent another way"""
    at = work()
    wishes.the_customer(at.session, at.principal, customer_id)
    found = wishes.preferred(at.session, customer_id, lock=True)
    etag.require_match(found.version)
    wishes.prefer(at.context, found, body, at.principal.username)
    at.note(f"customer:{customer_id}", fields=sorted(body))
    return _preference(found)


@blueprint.get("/consents/<uuid:customer_id>")
@requires("preferences:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(ConsentSchema))
def consents(query: dict[str, Any], customer_id: UUID) -> Response:
    """Everything the customer ever said, newest first; of a class and channel the latest counts"""
    at = glance()
    wishes.the_customer(at.session, at.principal, customer_id)
    found = select(Consent).where(Consent.customer_id == customer_id)
    return answer(Page.of(at.session, found, [Consent.id.desc()], query["limit"], query["cursor"], _consent))


@blueprint.post("/consents/<uuid:customer_id>")
@requires("preferences:write")
@blueprint.arguments(SayingSchema)
@blueprint.response(201, ConsentSchema)
def say(body: dict[str, Any], customer_id: UUID) -> Response:
    """Record a consent, or that it was withdrawn"""
    at = work()
    wishes.the_customer(at.session, at.principal, customer_id)
    now = at.clock.now()
    say_consent(at.context, customer_id, **body, by=at.principal.username, at=now)
    at.note(f"customer:{customer_id}", given=body["given"])
    said = {"class": body["class_"], "channel": body["channel"], "given": body["given"], "at": now}
    return answer({**said, "source": body["source"], "by": at.principal.username}, 201)


@blueprint.get("/suppressions")
@requires("suppressions:read")
@blueprint.arguments(SuppressionsArgs, location="query")
@blueprint.response(200, Page.schema(SuppressionSchema))
def suppressions(query: dict[str, Any]) -> Response:
    """Addresses that nothing is sent to, newest first"""
    at = glance()
    found = select(Suppression)
    if query["channel"]:
        found = found.where(Suppression.channel == query["channel"])
    return answer(Page.of(at.session, found, [Suppression.id.desc()], query["limit"], query["cursor"], _suppression))


@blueprint.post("/suppressions")
@requires("suppressions:write")
@blueprint.arguments(SuppressingSchema)
@blueprint.response(201, SuppressionSchema)
def suppress(body: dict[str, Any]) -> Response:
    """Leave an address alone"""
    at = work()
    row = wishes.suppress(at.context, body["channel"], body["address"], body["reason"], at.principal.username)
    at.note(f"suppression:{row.id}", channel=row.channel)
    return answer(_suppression(row), 201)


@blueprint.delete("/suppressions/<uuid:suppression_id>")
@requires("suppressions:write")
@blueprint.response(204)
def lift(suppression_id: UUID) -> None:
    """Write to the address again"""
    at = work()
    wishes.lift(at.session, suppression_id)
    at.note(f"suppression:{suppression_id}")


def _preference(found: Preference) -> Response:
    etag.tag(found.version)
    shown = {name: getattr(found, name) for name in ("customer_id", "locale", "time_zone", "channels", "off")}
    ends = {name: getattr(found, name) for name in ("quiet_from", "quiet_until")}
    return answer({**shown, **{name: f"{at:%H:%M}" if at else None for name, at in ends.items()}})


def _consent(row: Consent) -> dict[str, Any]:
    names = ("channel", "given", "at", "source", "by")
    return {**{name: getattr(row, name) for name in names}, "class": row.class_}


def _suppression(row: Suppression) -> dict[str, Any]:
    return {name: getattr(row, name) for name in ("id", "channel", "address", "reason", "at", "by")}
