"""The request at hand, put to the services: with the caller's token and the request's id."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from flask import current_app, request

from chassis.errors import Invalid
from chassis.web import Schema, fields
from chassis.web.work import desk
from gateway.console.backend import API, Backend, Part, Question
from gateway.routing.table import owner_of

UPSTREAMS = "kezhi_upstreams"  # among the application's extensions: the services, by name
OWN = "kezhi_own"  # and the application as it stands behind the router
NOT_PERMITTED = "not_permitted"
FAILED = "failed"


class MissingSchema(Schema):
    """A part that is not there, and why."""

    part = fields.String(required=True)
    service = fields.String(required=True)
    reason = fields.Choice("away", "slow", "resting", "not_connected", FAILED, NOT_PERMITTED, required=True)


def backend_for_caller() -> Backend:
    """The services as the present caller of the API meets them."""
    header = request.headers.get("Authorization", "")
    return backend_with(header.removeprefix("Bearer "))


def backend_with(token: str) -> Backend:
    """The services as the bearer of a token meets them, during the request at hand."""
    extensions = current_app.extensions
    limits = current_app.limits  # type: ignore[attr-defined]
    address = limits.own_address() if limits is not None else request.remote_addr or ""
    return Backend(token, extensions[UPSTREAMS], extensions[OWN], desk().request_id, address)


def missing(parts: Mapping[str, Part], questions: Mapping[str, Question]) -> list[dict[str, Any]]:
    """Which parts are not there: silent services, those that the caller may not ask, those that refused."""
    return [
        {"part": name, "service": service_of(questions[name]), "reason": reason}
        for name, part in parts.items()
        if (reason := _reason(part)) is not None
    ]


def service_of(question: Question) -> str:
    """Who is asked."""
    path = question if isinstance(question, str) else question[0]
    return owner_of(API + path) or "gateway"


def refuse_what_is_refused(parts: Iterable[Part]) -> None:
    """What a service finds wrong in the caller's own parameters is said as it says it (Invalid)."""
    for part in parts:
        if part.refused is not None and part.refused.status == 422:
            raise Invalid(part.refused.detail, dict(part.refused.errors))


def _reason(part: Part) -> str | None:
    if part.missing is not None:
        return part.missing.reason
    if part.refused is None or part.refused.status == 404:
        return None
    return NOT_PERMITTED if part.forbidden else FAILED
