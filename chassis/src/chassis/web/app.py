"""``create_app``: a service's declaration becomes its HTTP application.

``assemble`` does all that needs no database (the OpenAPI document comes from it); ``create_app`` adds the process.
"""

from __future__ import annotations

from functools import cache
from typing import Any

from flask import Flask

from chassis import logs, telemetry
from chassis.approvals import api as approvals_api
from chassis.audit import api as audit_api
from chassis.jobs import api as jobs_api
from chassis.messaging import dead_letters_api
from chassis.people.directory import Directory
from chassis.policies import api as policies_api
from chassis.policies.use_cases import ACTIVATION
from chassis.runtime import Runtime
from chassis.service import Service
from chassis.storage.engine import make_engine
from chassis.web import health, openapi, problems
from chassis.web.application import BODY_LIMIT, Application, Endpoint
from chassis.web.limits import Limits
from chassis.web.principal import Permissions
from chassis.web.tokens import Keys, Verifier

PREFIX = "/api/v1"


def create_app(runtime: Runtime) -> Application:
    """The WSGI application of one process. Opens no connection before the first request."""
    service, settings = runtime.service, runtime.settings
    logs.configure(service.name, settings.log_level)
    telemetry.configure(service.name, settings.otlp_endpoint)
    app = assemble(service)
    app.runtime = runtime
    app.reading = make_engine(settings, reading=True)
    app.verifier = Verifier(Keys(settings.jwks_url), Permissions(service.permissions), runtime.clock)
    app.directory = Directory(runtime.sessions)
    app.limits = Limits(settings)
    if service.extend_app is not None:
        service.extend_app(app, runtime)
    return app


def openapi_document(service: Service) -> dict[str, Any]:
    """The service's OpenAPI 3.1 document, the same on every run."""
    return assemble(service).document


def assemble(service: Service) -> Application:
    """The application without its process: routes, refusals, document."""
    app = Application(f"kezhi.{service.name}", static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = BODY_LIMIT
    app.config["TRAP_HTTP_EXCEPTIONS"] = False
    app.config["PROPAGATE_EXCEPTIONS"] = False
    openapi.configure(app, service.title, service.version)
    problems.register(app)
    api = openapi.KezhiApi(app)
    for blueprint in service.blueprints:
        api.register_blueprint(blueprint, url_prefix=PREFIX + (blueprint.url_prefix or ""))
    for blueprint in _chassis_blueprints(service.name):
        api.register_blueprint(blueprint, url_prefix=f"{PREFIX}/services/{service.name}")
    app.endpoints = _endpoints(app)
    app.approval_kinds = {ACTIVATION.kind: ACTIVATION, **service.approvals}
    app.describe = lambda: openapi.finish(api, app, app.endpoints, f"Kezhi service `{service.name}`")
    app.register_blueprint(health.plain())
    return app


@cache
def _chassis_blueprints(service: str) -> tuple[Any, ...]:
    return (
        approvals_api.blueprint(),
        audit_api.blueprint(),
        health.blueprint(),
        policies_api.blueprint(service),
        jobs_api.blueprint(service),
        dead_letters_api.blueprint(service),
    )


def _endpoints(app: Flask) -> dict[str, Endpoint]:
    """What each view of the API asks for. Raises where one doesn't say."""
    found = {}
    for rule in app.url_map.iter_rules():
        if not rule.rule.startswith(PREFIX):
            continue
        view = app.view_functions[rule.endpoint]
        access = getattr(view, "_access", None)
        if access is None:
            raise RuntimeError(f"{rule.endpoint} ({rule.rule}) lacks @requires: say who may call it")
        reads: dict[str, bool] = getattr(view, "_reads", {})
        found[rule.endpoint] = Endpoint(view, access, "query" in reads or "querystring" in reads, reads.get("json"))
    return found
