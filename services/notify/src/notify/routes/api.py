"""``routes``: who hears of what, by the regulation and by what was added beside it."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow.validate import Length, Regexp

from chassis.web import Blueprint, QuerySchema, Schema, answer, etag, fields, glance, requires, work
from notify.policy.rules import CHANNELS, CLASSES, NotifyPolicy, Route
from notify.routes.tables import RouteRow
from notify.routes.use_cases import add_route, as_route, change_route, the_route

blueprint = Blueprint("routes", __name__, description="Which event is told to whom, by which text and way")
_NAME = "^[a-z][a-z0-9_]{0,59}$"


class RoutesArgs(QuerySchema):
    """Which routes."""

    event = fields.Text(60, load_default=None)


class RouteSchema(Schema):
    """A route, of the pack or added."""

    name = fields.String(required=True)
    event = fields.String(required=True)
    to = fields.List(fields.Raw(), required=True, metadata={"items": {}})
    when = fields.Dict(required=True)
    class_ = fields.String(required=True, data_key="class")
    template = fields.String(required=True)
    channels = fields.List(fields.String(), required=True, metadata={"description": "empty: the pack's order"})
    urgent = fields.Flag(required=True)
    by_law = fields.Flag(required=True)
    clause = fields.String(required=True, allow_none=True)
    origin = fields.Choice("pack", "added", required=True)
    enabled = fields.Flag(required=True)


class RoutesSchema(Schema):
    """All of them: there are dozens, not thousands."""

    items = fields.List(fields.Nested(RouteSchema), required=True)
    next = fields.String(required=True, allow_none=True)


class RecipientSchema(Schema):
    """One recipient: somebody whom the event names, whoever holds a role, or an address."""

    person = fields.Text(60, load_default=None, metadata={"description": "customer, complainant, handler, superior …"})
    role = fields.Text(60, load_default=None)
    address = fields.Text(500, load_default=None)
    channel = fields.Choice("email", "sms", "webhook", load_default=None)


class AddingSchema(Schema):
    """``POST routes``."""

    name = fields.Text(60, required=True, metadata={"pattern": _NAME}, validate=Regexp(_NAME + r"(?!\n)"))
    event = fields.Text(60, required=True, metadata={"description": "without its version: complaint.breached"})
    to = fields.List(fields.Nested(RecipientSchema), required=True, validate=Length(1, 20))
    when = fields.Dict(keys=fields.String(), load_default=dict)
    class_ = fields.Choice(*CLASSES, load_default="service", data_key="class")
    template = fields.Text(60, load_default=None, metadata={"description": "default: the route's name"})
    channels = fields.List(fields.Choice(*CHANNELS), load_default=list, validate=Length(max=len(CHANNELS)))
    urgent = fields.Flag(load_default=False)
    clause = fields.Text(80, load_default=None)


class ChangingSchema(Schema):
    """``PATCH routes/{name}``."""

    enabled = fields.Flag(required=True)


@blueprint.get("/routes")
@requires("routes:read")
@blueprint.arguments(RoutesArgs, location="query")
@blueprint.response(200, RoutesSchema)
def routes(query: dict[str, Any]) -> Response:
    """The routes in force: the pack's, then those that were added"""
    at = glance()
    rules: NotifyPolicy = at.policies.in_force().rules
    added = at.session.query(RouteRow).order_by(RouteRow.name)
    found = [_pack(route) for route in rules.routes] + [_added(row) for row in added]
    return answer({"items": [one for one in found if query["event"] in (None, one["event"])], "next": None})


@blueprint.post("/routes")
@requires("routes:write")
@blueprint.arguments(AddingSchema)
@blueprint.response(201, RouteSchema)
def add(body: dict[str, Any]) -> Response:
    """Tell an event to somebody the regulation does not name"""
    at = work()
    row = add_route(at.context, {**body, "to": [_plain(one) for one in body["to"]]}, at.principal.username)
    at.note(f"route:{row.name}", event=row.event)
    etag.tag(row.version)
    return answer(_added(row), 201, {"Location": f"/api/v1/routes/{row.name}"})


@blueprint.get("/routes/<name>")
@requires("routes:read")
@blueprint.response(200, RouteSchema)
def route(name: str) -> Response:
    """One route"""
    at = glance()
    rules: NotifyPolicy = at.policies.in_force().rules
    of_pack = next((one for one in rules.routes if one.name == name), None)
    if of_pack is not None:
        return answer(_pack(of_pack))
    row = the_route(at.session, name)
    etag.tag(row.version)
    return answer(_added(row))


@blueprint.patch("/routes/<name>")
@requires("routes:write", if_match=True)
@blueprint.arguments(ChangingSchema)
@blueprint.response(200, RouteSchema)
def change(body: dict[str, Any], name: str) -> Response:
    """Switch an added route on or off; the pack's are changed with the pack"""
    at = work()
    row = the_route(at.session, name)
    etag.require_match(row.version)
    change_route(at.context, row, body["enabled"])
    at.note(f"route:{name}", enabled=row.enabled)
    etag.tag(row.version)
    return answer(_added(row))


def _plain(said: dict[str, Any]) -> Any:
    """A recipient as packs write it. What is no recipient is refused with the rest (``check``)."""
    if said["person"]:
        return said["person"]
    if said["role"]:
        return {"role": said["role"]}
    return {"address": said["address"] or "", "channel": said["channel"] or "email"}


def _pack(route: Route) -> dict[str, Any]:
    return {**_shown(route), "origin": "pack", "enabled": True}


def _added(row: RouteRow) -> dict[str, Any]:
    return {**_shown(as_route(row)), "origin": "added", "enabled": row.enabled}


def _shown(route: Route) -> dict[str, Any]:
    return {
        "name": route.name,
        "event": route.event,
        "to": [one.plain() for one in route.to],
        "when": dict(route.when),
        "class": route.class_,
        "template": route.template,
        "channels": list(route.channels),
        "urgent": route.urgent,
        "by_law": route.by_law,
        "clause": route.clause,
    }
