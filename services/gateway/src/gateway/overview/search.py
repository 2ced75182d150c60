"""``search?q=``: one box that finds customers, complaints, members and pages, each as far as the caller may look."""

from __future__ import annotations

from typing import Any

from flask import request

from chassis.web import Blueprint, QuerySchema, Schema, fields, requires
from chassis.web.work import desk
from gateway.console.backend import Part, Question
from gateway.overview.asking import MissingSchema, backend_for_caller, missing
from gateway.overview.pages import pages_named

blueprint = Blueprint("search", __name__, description="Find anything")
FOUND = 8  # of each kind: a box shows no more
MEMBERS = 3  # customers found whose points are looked up beside
MEMBERS_SECONDS = 1.0


class SearchArgs(QuerySchema):
    """What to look for."""

    q = fields.Text(max=100, required=True)


class HitSchema(Schema):
    """Something found."""

    kind = fields.Choice("customer", "complaint", "member", "page", required=True)
    id = fields.String(required=True)
    title = fields.String(required=True)
    subtitle = fields.String(required=True)
    url = fields.String(required=True, metadata={"description": "its page in the console"})


class HitsSchema(Schema):
    """Everything found, by kind; parts that did not answer are named."""

    items = fields.List(fields.Nested(HitSchema), required=True)
    missing = fields.List(fields.Nested(MissingSchema), required=True)


@blueprint.get("/search")
@requires()
@blueprint.arguments(SearchArgs, location="query")
@blueprint.response(200, HitsSchema)
def search(query: dict[str, Any]) -> dict[str, Any]:
    """Find customers, complaints, members and pages"""
    q = query["q"]
    services = backend_for_caller()
    questions: dict[str, Question] = {
        "customers": ("customers", {"q": q, "limit": FOUND}),
        "complaints": ("complaints", {"q": q, "limit": FOUND}),
    }
    parts = services.fan_out(questions)
    customers = parts["customers"].entries
    people = {str(one["id"]): one for one in customers if one["kind"] == "individual"}
    asked: dict[str, Question] = {id: f"members/{id}" for id in list(people)[:MEMBERS]}
    members = services.fan_out(asked, MEMBERS_SECONDS) if asked else {}
    silent = missing(parts, questions)
    if lacking := missing(members, asked):
        silent.append({**lacking[0], "part": "members"})
    principal = desk().principal
    permissions = principal.permissions if principal else frozenset()
    chinese = (request.accept_languages.best_match(["zh", "en"]) or "zh") == "zh"
    items = [
        *map(_customer, customers),
        *map(_complaint, parts["complaints"].entries),
        *(_member(people[id], part) for id, part in members.items() if part.ok),
        *pages_named(q, permissions, chinese),
    ]
    return {"items": items, "missing": silent}


def _customer(one: dict[str, Any]) -> dict[str, Any]:
    number = next((phone["number"] for phone in one["phones"]), None)
    subtitle = " · ".join(part for part in (one["code"], number, one["unit"]) if part)
    return {
        "kind": "customer",
        "id": one["id"],
        "title": one["name"],
        "subtitle": subtitle,
        "url": f"/console/customers/{one['id']}",
    }


def _complaint(one: dict[str, Any]) -> dict[str, Any]:
    return {
        "kind": "complaint",
        "id": one["id"],
        "title": one["number"],
        "subtitle": " · ".join(part for part in (one.get("subject"), one.get("status")) if part),
        "url": f"/console/complaints/{one['id']}",
    }


def _member(customer: dict[str, Any], part: Part) -> dict[str, Any]:
    member = part.value
    return {
        "kind": "member",
        "id": customer["id"],
        "title": customer["name"],
        "subtitle": f"{member['tier']} · {member['points']['available']:,}",
        "url": f"/console/members/{customer['id']}",
    }
