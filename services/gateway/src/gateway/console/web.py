"""What every view works with: ``me()``, ``backend()``, ``page()``, ``fragment()``, ``done()``.

A view is a plain function of a Flask blueprint. It is for signed-in staff unless it is marked ``@public``.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from urllib.parse import quote

from flask import Response, current_app, g, make_response, redirect, render_template, request

from gateway.console.backend import Backend
from gateway.console.security import local
from gateway.console.sessions import Visit

View = TypeVar("View", bound=Callable[..., Any])
SAID = "kezhi_said"  # what the page after a redirect says once


def public(view: View) -> View:
    """Mark a view that needs no sign-in."""
    view._public = True  # type: ignore[attr-defined]
    return view


def me() -> Visit:
    """Who is looking."""
    visit: Visit = g.visit
    return visit


def backend() -> Backend:
    """The services, asked with the reader's token."""
    asked: Backend = g.backend
    return asked


def by_htmx() -> bool:
    """Whether a part of a page is asked for, not a page."""
    return "HX-Request" in request.headers and "HX-History-Restore-Request" not in request.headers


def page(template: str, status: int = 200, **facts: Any) -> Response:
    """A whole page."""
    response = make_response(render_template(template, **facts), status)
    if SAID in request.cookies:
        response.delete_cookie(SAID)
    return response


def fragment(template: str, block: str, status: int = 200, **facts: Any) -> Response:
    """One block of a template, for htmx to put in its place."""
    found = current_app.jinja_env.get_template(template)
    context = found.new_context({**_context(), **facts})
    return make_response("".join(found.blocks[block](context)), status)


def done(path: str, said: str = "") -> Response:
    """After a change: to ``path``, where ``said`` is shown once."""
    path = local(path)
    response = Response("", 204, {"HX-Redirect": path}) if by_htmx() else make_response(redirect(path, 303))
    if said:
        response.set_cookie(SAID, quote(said), max_age=30, samesite="Lax", httponly=False)
    return response


def say(response: Response, said: str) -> Response:
    """After a change that htmx shows in place: ``said`` appears at the page's foot for some seconds."""
    response.headers["HX-Trigger"] = json.dumps({"said": said})  # ASCII: headers carry nothing else
    return response


def new_key() -> str:
    """An Idempotency-Key for a form about to be shown."""
    return secrets.token_urlsafe(18)


def form(**also: Any) -> dict[str, Any]:
    """The form's fields without our own (csrf, key), trimmed; empty ones are left out."""
    fields = {name: value.strip() for name, value in request.form.items() if name not in ("csrf", "key", "next")}
    return {name: value for name, value in {**fields, **also}.items() if value not in ("", None)}


def key() -> str:
    """The Idempotency-Key that the form carried, or one for it."""
    return request.form.get("key") or secrets.token_urlsafe(16)


def here() -> str:
    """This page's path with its query."""
    return request.full_path.rstrip("?")


def with_query(**changes: Any) -> str:
    """This page's path with some parameters changed; None takes one away."""
    kept = {name: value for name, value in request.args.items() if name not in changes}
    kept |= {name: str(value) for name, value in changes.items() if value is not None}
    asked = "&".join(f"{quote(name)}={quote(value)}" for name, value in kept.items())
    return f"{request.path}?{asked}" if asked else request.path


def _context() -> Mapping[str, Any]:
    context: dict[str, Any] = {}
    current_app.update_template_context(context)
    return context
