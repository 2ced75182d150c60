"""``customers`` and what lies under one of them: thin, each view parses, calls one use case, answers."""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response

from chassis.errors import NotFound
from chassis.web import Blueprint, Page, PageArgs, answer, etag, glance, requires, work
from customer.registry import queries, schemas, use_cases
from customer.registry.registering import register_customer
from customer.registry.state import view
from customer.units import unit_for

blueprint = Blueprint("customers", __name__, description="Who the customer is")


@blueprint.post("/customers")
@requires("customers:write")
@blueprint.arguments(schemas.NewCustomerSchema)
@blueprint.response(201, schemas.CustomerSchema)
def register(body: dict[str, Any]) -> Response:
    """Register a customer"""
    at = work()
    body["unit"] = unit_for(at.session, at.principal, body.get("unit"))
    row = register_customer(at.session, at.clock, at.policies.in_force(), at.principal.username, body)
    at.note(str(row.id))
    etag.tag(row.version)
    new = view(row, {}, at.policies.in_force(), contacts=at.principal.may("customers:contacts"))
    return answer(new, 201, {"Location": f"/api/v1/customers/{row.id}"})


@blueprint.get("/customers")
@requires("customers:read")
@blueprint.arguments(schemas.CustomersArgs, location="query")
@blueprint.response(200, Page.schema(schemas.CustomerSchema))
def listing(query: dict[str, Any]) -> Response:
    """Find customers"""
    at = glance()
    return answer(queries.list_customers(at.session, at.policies.in_force(), at.principal, at.clock.now(), query))


@blueprint.get("/customers/recognised")
@requires("customers:recognise")
@blueprint.arguments(schemas.RecognisedArgs, location="query")
@blueprint.response(200, schemas.RecognisedSchema)
def recognised(query: dict[str, Any]) -> Response:
    """Whose telephone number is this: for the portal's one-time codes, which tell nobody"""
    return answer({"customer_id": queries.recognise(glance().session, query["phone"])})


@blueprint.get("/customers/<uuid:id>")
@requires("customers:read")
@blueprint.response(200, schemas.CustomerSchema)
def one(id: UUID) -> Response:
    """One customer"""
    at = glance()
    found = queries.glimpse_customer(at.policies.in_force(), at.principal, id)
    etag.tag(found["version"])
    return answer(found)


@blueprint.patch("/customers/<uuid:id>")
@requires("customers:write", if_match=True)
@blueprint.arguments(schemas.ChangesSchema)
@blueprint.response(200, schemas.CustomerSchema)
def change(body: dict[str, Any], id: UUID) -> Response:
    """Change what is known of a customer"""
    at = work()
    queries.require_visible(at.session, at.principal, id)
    row = use_cases.lock_customer(at.session, id)
    etag.require_match(row.version)
    if "unit" in body:
        body["unit"] = unit_for(at.session, at.principal, body["unit"])
    provenance = body.pop("provenance", None)
    use_cases.change_customer(
        at.session, at.clock, at.policies.in_force(), at.principal.username, row, body, provenance
    )
    at.note(str(row.id))
    etag.tag(row.version)
    return answer(_fresh(row.id))


@blueprint.get("/customers/<uuid:id>/history")
@requires("customers:read")
@blueprint.arguments(schemas.HistoryArgs, location="query")
@blueprint.response(200, Page.schema(schemas.ChangeSchema))
def history(query: dict[str, Any], id: UUID) -> Response:
    """Every change of a customer's data, newest first"""
    at = work()
    queries.require_visible(at.session, at.principal, id)
    return answer(queries.list_history(at.session, id, query))


@blueprint.get("/customers/<uuid:id>/identities")
@requires("customers:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(schemas.LinkedIdentitySchema))
def identities(page: dict[str, Any], id: UUID) -> Response:
    """How other systems know a customer"""
    at = work()
    queries.require_visible(at.session, at.principal, id)
    return answer(queries.list_identities(at.session, id, **page))


@blueprint.post("/customers/<uuid:id>/identities")
@requires("customers:write")
@blueprint.arguments(schemas.IdentitySchema)
@blueprint.response(201, schemas.CustomerSchema)
def link(body: dict[str, Any], id: UUID) -> Response:
    """Link an identity; purchases that waited for it are applied"""
    at = work()
    queries.require_visible(at.session, at.principal, id)
    row = use_cases.lock_customer(at.session, id)
    use_cases.link_identity(
        at.session, at.clock, at.policies.in_force(), at.principal.username, row, body["scheme"], body["value"]
    )
    at.note(str(row.id))
    return answer(_fresh(row.id), 201)


@blueprint.get("/customers/<uuid:id>/tags")
@requires("customers:read")
@blueprint.response(200, schemas.TagListSchema)
def tags(id: UUID) -> dict[str, Any]:
    """The tags of a customer"""
    at = glance()
    return {"tags": queries.read_customer(at.session, at.policies.in_force(), at.principal, id)["tags"]}


@blueprint.post("/customers/<uuid:id>/tags")
@requires("customers:write")
@blueprint.arguments(schemas.TagsSchema)
@blueprint.response(200, schemas.TagListSchema)
def add_tags(body: dict[str, Any], id: UUID) -> dict[str, Any]:
    """Put tags on a customer"""
    return _retag(id, add=body["tags"])


@blueprint.delete("/customers/<uuid:id>/tags/<tag>")
@requires("customers:write")
@blueprint.response(200, schemas.TagListSchema)
def remove_tag(id: UUID, tag: str) -> dict[str, Any]:
    """Take a tag off a customer"""
    return _retag(id, remove=tag)


def _retag(id: UUID, add: list[str] | None = None, remove: str | None = None) -> dict[str, Any]:
    at = work()
    queries.require_visible(at.session, at.principal, id)
    row = use_cases.lock_customer(at.session, id)
    if remove is not None and remove not in row.tags:
        raise NotFound("The customer has no such tag")
    tags = sorted({*row.tags, *(add or [])} - {remove})
    use_cases.change_customer(
        at.session, at.clock, at.policies.in_force(), at.principal.username, row, {"tags": tags}, None
    )
    at.note(str(row.id))
    return {"tags": tags}


def _fresh(id: UUID) -> dict[str, Any]:
    """The customer as the transaction leaves it."""
    at = work()
    at.session.flush()
    return queries.read_customer(at.session, at.policies.in_force(), at.principal, id)
