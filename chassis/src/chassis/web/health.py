"""Is the process alive, and may it be sent work? Plus its metrics, its document and the page of it."""

from __future__ import annotations

from typing import Any

from flask import Blueprint as FlaskBlueprint
from flask import Response, current_app, g
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from chassis import metrics
from chassis.runtime import Runtime
from chassis.web import docs, fields
from chassis.web.access import requires
from chassis.web.application import answer
from chassis.web.blueprint import Blueprint
from chassis.web.schema import Schema


class HealthSchema(Schema):
    """What this process finds of itself."""

    service = fields.String(required=True)
    version = fields.String(required=True)
    status = fields.String(required=True, metadata={"enum": ["ready", "unavailable"]})
    database = fields.String(required=True, metadata={"enum": ["up", "down"]})
    policy_version = fields.String(required=True, allow_none=True)


def plain() -> FlaskBlueprint:
    """What needs no sign-in: probes, metrics, document and its page."""
    blueprint = FlaskBlueprint("process", __name__)

    @blueprint.get("/health/live")
    def live() -> Response:
        return answer({"status": "live"})

    @blueprint.get("/health/ready")
    def ready() -> Response:
        found = inspect(g.desk.runtime)
        return answer(found, 200 if found["status"] == "ready" else 503)

    @blueprint.get("/metrics")
    def exposition() -> Response:
        body, content_type = metrics.exposition()
        return Response(body, content_type=content_type)

    @blueprint.get("/openapi.json")
    def openapi_json() -> Response:
        return answer(current_app.document)  # type: ignore[attr-defined]

    @blueprint.get("/docs")
    def docs_page() -> Response:
        return docs.page(current_app.document)  # type: ignore[attr-defined]

    return blueprint


def blueprint() -> Blueprint:
    """``services/{service}/health`` and ``…/openapi.json``, for staff and console."""
    made = Blueprint("service", __name__, description="This service itself")

    @made.get("/health")
    @requires()
    @made.response(200, HealthSchema)
    def health() -> Any:
        """What this process finds of itself"""
        return inspect(g.desk.runtime)

    @made.get("/openapi.json")
    @requires(public=True)
    @made.response(200, description="The OpenAPI document of this service")
    def document() -> Response:
        """This document"""
        return answer(current_app.document)  # type: ignore[attr-defined]

    return made


def inspect(runtime: Runtime) -> dict[str, Any]:
    """Ask the database; a broker that is away stops no request (writes go on, the outbox grows)."""
    try:
        with runtime.engine.connect() as connection:
            connection.execute(text("SELECT 1"))
        database = "up"
    except SQLAlchemyError:
        database = "down"
    return {
        "service": runtime.service.name,
        "version": runtime.service.version,
        "status": "ready" if database == "up" else "unavailable",
        "database": database,
        "policy_version": _policy_version(runtime) if database == "up" else None,
    }


def _policy_version(runtime: Runtime) -> str | None:
    if runtime.service.policy is None:
        return None
    return str(runtime.policies.in_force().version)
