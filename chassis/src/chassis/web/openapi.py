"""The OpenAPI 3.1 document of a service: generated from routes, schemas and terms of access, the same on every run.

What flask-smorest can't know is added here: who may call, every problem an operation can answer with, the
``Idempotency-Key`` and ``If-Match`` headers. Nothing here needs a database.
"""

from __future__ import annotations

from http import HTTPStatus
from typing import Any

from flask import Flask
from flask_smorest import Api, Blueprint
from marshmallow.validate import Length

from chassis.web import fields
from chassis.web.access import Access
from chassis.web.application import Endpoint
from chassis.web.idempotency import IDEMPOTENCY
from chassis.web.problems import MEDIA_TYPE

_PROBLEM: dict[str, Any] = {
    "type": "object",
    "description": "RFC 9457: what went wrong, and what to do about it",
    "required": ["type", "title", "status", "detail", "instance", "request_id"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string"},
        "request_id": {"type": ["string", "null"]},
        "errors": {
            "type": "object",
            "description": "messages by the path of the field",
            "additionalProperties": {"type": "array", "items": {"type": "string"}},
        },
    },
}
_VERBS = ("get", "post", "put", "patch", "delete")


class KezhiApi(Api):
    """flask-smorest's Api, whose error handling is ours (``problems``).

    Blueprints are described when the document is first read: that takes longer than all the rest of an application's
    start, and most processes are never asked for it.
    """

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self.ma_plugin.converter.add_attribute_function(_names_of_facts)
        self._undescribed: list[Blueprint] = []

    def register_blueprint(self, blueprint: Blueprint, **options: Any) -> None:
        self._app.register_blueprint(blueprint, **options)
        self._undescribed.append(blueprint)

    def describe(self) -> dict[str, Any]:
        """The document as flask-smorest knows it."""
        for blueprint in self._undescribed:
            blueprint.register_views_in_doc(self, self._app, self.spec, name=blueprint.name, parameters=None)
            self.spec.tag({"name": blueprint.name, "description": blueprint.description})
        self._undescribed.clear()
        document: dict[str, Any] = self.spec.to_dict()
        return document

    def _register_error_handlers(self) -> None:
        pass


def _names_of_facts(converter: Any, field: fields.Field, **kwargs: Any) -> dict[str, Any]:
    """What a mapping asks of its names, and how many it takes: apispec tells of the values alone."""
    if not isinstance(field, fields.Dict):
        return {}
    told: dict[str, Any] = {}
    if isinstance(field.key_field, fields.Text):
        told["propertyNames"] = converter.field2property(field.key_field)
    most = [each.max for each in field.validators if isinstance(each, Length) and each.max is not None]
    if most:
        told["maxProperties"] = min(most)
    return told


def configure(app: Flask, title: str, version: str) -> None:
    """What flask-smorest reads at its start."""
    app.config.update(API_TITLE=title, API_VERSION=version, OPENAPI_VERSION="3.1.0", OPENAPI_URL_PREFIX=None)


def finish(api: KezhiApi, app: Flask, endpoints: dict[str, Endpoint], description: str) -> dict[str, Any]:
    """The finished document."""
    document = api.describe()
    document["info"]["description"] = description
    components = document.setdefault("components", {})
    components.pop("responses", None)
    components.pop("headers", None)
    components.pop("parameters", None)
    components.setdefault("schemas", {})["Problem"] = _PROBLEM
    components["securitySchemes"] = {"bearer": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}}
    by_path = _by_path(app, endpoints)
    for path, operations in document["paths"].items():
        for verb in _VERBS:
            if verb in operations:
                name, endpoint = by_path[(path, verb)]
                _complete(operations[verb], verb, name, endpoint, "{" in path)
    document["paths"] = dict(sorted(document["paths"].items()))
    components["schemas"] = dict(sorted(components["schemas"].items()))
    return document


def _by_path(app: Flask, endpoints: dict[str, Endpoint]) -> dict[tuple[str, str], tuple[str, Endpoint]]:
    found = {}
    for rule in app.url_map.iter_rules():
        if rule.endpoint in endpoints:
            path = "".join(f"{{{part}}}" if dynamic else part for dynamic, part in rule._trace)
            for method in rule.methods or ():
                found[(path.lstrip("|"), method.lower())] = (rule.endpoint, endpoints[rule.endpoint])
    return found


def _complete(operation: dict[str, Any], verb: str, name: str, endpoint: Endpoint, has_id: bool) -> None:
    access: Access = endpoint.access
    operation["operationId"] = name
    operation["security"] = [] if access.public else [{"bearer": []}]
    if access.permission is not None:
        operation["x-permission"] = access.permission
    parameters = operation.pop("parameters", [])
    for parameter in parameters:
        if parameter["in"] == "query":
            _absent_is_not_null(parameter["schema"])
    if verb == "post":
        parameters.append(_idempotency(access))
    if access.if_match:
        parameters.append(_IF_MATCH)
    if parameters:
        operation["parameters"] = parameters
    responses = {
        str(status): answer for status, answer in operation.get("responses", {}).items() if status != "default"
    }
    said = {int(status) for status in responses if int(status) >= 400}  # a view's own alt_response
    for status in said | _problems(access, verb, has_id, "requestBody" in operation):
        if not _is_documented(responses.get(str(status))):
            responses[str(status)] = _response(status)
    operation["responses"] = dict(sorted(responses.items()))


def _problems(access: Access, verb: str, has_id: bool, has_body: bool) -> set[int]:
    """Every status an operation can be refused with."""
    problems = {422, 429, 503}
    if not access.public:
        problems |= {401, 403}
    if has_id:
        problems.add(404)
    if verb != "get":
        problems |= {400, 404, 409, 413}
    if has_body:
        problems.add(415)
    if access.if_match:
        problems |= {400, 412, 428}
    return problems


def _is_documented(answer: Any) -> bool:
    return isinstance(answer, dict) and "content" in answer


def _response(status: int) -> dict[str, Any]:
    content = {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}
    answer: dict[str, Any] = {"description": HTTPStatus(status).phrase, "content": content}
    if status in (429, 503):
        answer["headers"] = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds"}}
    if status == 401:
        answer["headers"] = {"WWW-Authenticate": {"schema": {"type": "string"}}}
    return answer


def _idempotency(access: Access) -> dict[str, Any]:
    return {
        "in": "header",
        "name": IDEMPOTENCY,
        "required": access.idempotency == "required",
        "description": "the same key and body are done once and answered alike; another body under it is 422",
        "schema": {"type": "string", "pattern": "^[!-~]{1,255}$"},
    }


_IF_MATCH = {
    "in": "header",
    "name": "If-Match",
    "required": True,
    "description": "the ETag of the version you read",
    "schema": {"type": "string", "pattern": '^(\\*|(W/)?"[0-9]{1,18}")$'},
}


def _absent_is_not_null(schema: dict[str, Any]) -> None:
    """A query can leave a parameter out but never send null, whatever its default is here."""
    if isinstance(schema.get("type"), list):
        schema["type"] = next(kind for kind in schema["type"] if kind != "null")
        if "enum" in schema:
            schema["enum"] = [word for word in schema["enum"] if word is not None]
    if "default" in schema and schema["default"] is None:
        del schema["default"]
