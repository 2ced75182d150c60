"""The console's own Flask application, mounted beside the API: HTML problems instead of JSON ones, sessions, rail.

``AREAS`` is the only list of what there is to see.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Mapping
from functools import cache
from http import HTTPStatus
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urlsplit
from zoneinfo import ZoneInfo

import structlog
from flask import Flask, Response, g, make_response, redirect, request
from sqlalchemy.exc import DisconnectionError, OperationalError, SQLAlchemyError, TimeoutError
from werkzeug.exceptions import HTTPException

from chassis.errors import Refusal
from chassis.runtime import Runtime
from chassis.web.application import Application
from chassis.web.principal import PUBLIC
from chassis.web.problems import TooMany
from gateway.console import house, reasons, security, sessions, words
from gateway.console.area import Area, Section
from gateway.console.backend import Backend, Missing, Refused
from gateway.console.campaigns import views as campaigns
from gateway.console.complaints import views as complaints
from gateway.console.customers import views as customers
from gateway.console.fraud import views as fraud
from gateway.console.liability import views as liability
from gateway.console.members import views as members
from gateway.console.operations import views as operations
from gateway.console.rewards import views as rewards
from gateway.console.shell import demonstration
from gateway.console.shell import views as shell
from gateway.console.simulation import views as simulation
from gateway.console.sums import steps
from gateway.console.tiers import views as tiers
from gateway.console.today import views as today
from gateway.console.web import SAID, by_htmx, here, new_key, page, with_query
from gateway.console.words import N_, gettext
from gateway.portal import pages as portal
from gateway.portal import points
from gateway.routing.upstream import Upstream

AREAS: tuple[Area, ...] = (
    shell.AREA,
    today.AREA,
    customers.AREA,
    complaints.AREA,
    members.AREA,
    rewards.AREA,
    campaigns.AREA,
    tiers.AREA,
    fraud.AREA,
    liability.AREA,
    simulation.AREA,
    *operations.AREAS,
    portal.AREA,
    points.AREA,
)
CLOCK_WORDS = (N_("%(t)s left"), N_("overdue by %(t)s"), N_("%(n)s d"), N_("%(n)s h"), N_("%(n)s min"))
MOUNTS = ("/console", "/portal")
TEMPLATES = Path(__file__).parent.parent / "templates"
STATIC = Path(__file__).parent / "static"
_log = structlog.get_logger(__name__)


class Console(Flask):
    """The pages' application. ``runtime`` and ``api`` are the gateway's."""

    runtime: Runtime
    api: Application
    upstreams: Mapping[str, Upstream]
    tokens: sessions.Tokens
    sections: tuple[Section, ...]
    backend_for: Callable[[str | None], Backend]


def create_console(
    api: Application, runtime: Runtime, upstreams: Mapping[str, Upstream], public_url: str = ""
) -> Console:
    """The pages over the services that ``upstreams`` reach and the gateway's own resources (``api``).

    ``public_url``: how browsers reach us; where it says https, cookies travel by https alone.
    """
    app = Console(
        "kezhi.console", template_folder=str(TEMPLATES), static_folder=str(STATIC), static_url_path="/console/static"
    )
    app.runtime, app.api, app.upstreams, app.tokens = runtime, api, upstreams, sessions.Tokens()
    app.backend_for = lambda token: Backend(
        token, app.upstreams, api, g.request_id, address=_address(), language=words.language()
    )
    app.config["DEMO_PASSWORD"] = demonstration.password_told(runtime.settings)
    app.config["COOKIES_BY_HTTPS_ALONE"] = public_url.startswith("https:")
    app.config["MAX_CONTENT_LENGTH"] = 1024 * 1024
    app.config["SEND_FILE_MAX_AGE_DEFAULT"] = 31_536_000  # their addresses carry their hash
    app.sections = tuple(section for area in AREAS for section in area.sections)
    for area in AREAS:
        app.register_blueprint(area.blueprint)
    _templates(app)
    app.before_request(_begin)
    app.after_request(_finish)
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(Refusal, _refusal)
    app.register_error_handler(Missing, _missing)
    app.register_error_handler(HTTPException, _http)
    app.register_error_handler(SQLAlchemyError, _database)
    app.register_error_handler(Exception, _unexpected)
    return app


class Mount:
    """WSGI: what lies under ``/console`` and ``/portal`` (and the bare ``/``) is the console's, all else the API's."""

    def __init__(self, console: Console, api: Callable[..., Any]) -> None:
        self.console, self.api = console, api

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Any:
        path = environ.get("PATH_INFO", "")
        ours = path in ("", "/", "/favicon.ico") or any(path == m or path.startswith(m + "/") for m in MOUNTS)
        return (self.console if ours else self.api)(environ, start_response)


def _templates(app: Console) -> None:
    env = app.jinja_env
    env.trim_blocks = env.lstrip_blocks = True
    env.add_extension("jinja2.ext.i18n")
    env.install_gettext_callables(words.gettext, words.ngettext, newstyle=False)  # type: ignore[attr-defined]
    env.filters.update(words.FILTERS)
    env.filters["spoken"] = house.spoken
    env.filters["in_words"] = reasons.told
    env.globals.update(
        asset=_asset,
        new_key=new_key,
        here=here,
        with_query=with_query,
        time_left=words.time_left,
        sum_steps=steps,
        term=words.term,
        person=house.person,
        place=house.place,
        reason=reasons.reason,
        LANGUAGES=words.LANGUAGES,
    )
    for area in AREAS:
        env.globals.update(area.texts)

    @app.context_processor
    def common() -> dict[str, Any]:
        visit = g.get("visit")
        return {
            "visit": visit,
            "now": g.now,
            "lang": words.language(),
            "sections": [section for section in app.sections if visit and section.shown_to(visit)],
            "csrf": visit.csrf if visit else g.get("gate", ""),
            "said": unquote(request.cookies.get(SAID, "")),
            "clock_words": {name: gettext(name) for name in CLOCK_WORDS},
        }


def _begin() -> Any:
    g.begun, g.now = time.perf_counter(), _app().runtime.clock.now()
    g.request_id = request.headers.get("X-Request-Id") or new_key()
    g.visit, g.company_zone, g.company_currency = None, ZoneInfo("UTC"), "CNY"  # until the pack has told
    if request.endpoint == "static":
        return None
    company = _app().runtime.policies.in_force().company
    g.company, g.company_zone, g.company_currency = company, company.time_zone, company.currency
    view = _app().view_functions.get(request.endpoint or "")
    open_to_all = view is None or getattr(view, "_public", False)
    cookie = request.cookies.get(shell.session_cookie())
    if cookie and not request.path.startswith("/portal"):
        with _app().runtime.context() as context:
            g.visit = sessions.find(context.session, context.clock, _app().tokens, cookie)
    g.backend = _app().backend_for(g.visit.token if g.visit else None)
    if request.method in security.CHANGING and security.from_elsewhere():
        raise Refused(403, {"title": "Forbidden", "detail": gettext("The form was sent from another site.")})
    if open_to_all:
        limits = _app().api.limits
        if limits is not None and request.method in security.CHANGING:
            limits.check(PUBLIC)
        return None
    if g.visit is None:
        return _sign_in_first()
    if request.method in security.CHANGING and not security.is_ours(g.visit.csrf):
        detail = gettext("This form is no longer valid. Load the page again and send it once more.")
        raise Refused(403, {"title": "Forbidden", "detail": detail})
    return None


def _sign_in_first() -> Response:
    where = here()
    if by_htmx():
        page_shown = urlsplit(request.headers.get("HX-Current-URL", ""))
        where = page_shown.path + (f"?{page_shown.query}" if page_shown.query else "")
    target = "/console/sign-in" + (f"?next={quote(where)}" if where.startswith("/console/") else "")
    if by_htmx():
        return Response("", 401, {"HX-Redirect": target})
    return make_response(redirect(target, 303))


def _finish(response: Response) -> Response:
    security.harden(response)
    response.headers.setdefault("X-Request-ID", g.get("request_id", ""))
    if request.endpoint == "static":
        response.headers["Cache-Control"] = "public, max-age=31536000, immutable"
        return response
    if "Cache-Control" not in response.headers:
        response.headers["Cache-Control"] = "no-store"
    response.headers.add("Vary", "Cookie, Accept-Language, HX-Request")
    _log.info(
        "page",
        method=request.method,
        path=request.path if not request.path.startswith("/portal/") else "/portal/…",  # links carry their secret
        status=response.status_code,
        ms=round((time.perf_counter() - g.begun) * 1000, 1),
        staff_id=str(g.visit.staff_id) if g.get("visit") else None,
    )
    return response


# Problems, as pages - or as the box that htmx puts above the form.


def _refused(refused: Refused) -> Response:
    if refused.status == 401:
        return _sign_in_first()
    return _problem(refused.status, refused.title, refused.detail, refused.problem)


def _refusal(refusal: Refusal) -> Response:
    response = _problem(refusal.status, refusal.title, refusal.detail, {})
    if isinstance(refusal, TooMany):
        response.headers["Retry-After"] = str(refusal.retry_after)
    return response


def _missing(missing: Missing) -> Response:
    return _problem(503, "Temporarily unavailable", "", {}, missing=missing)


def _http(wrong: HTTPException) -> Response:
    status = wrong.code or 500
    if status < 400:
        return make_response(wrong.get_response())
    return _problem(status, HTTPStatus(status).phrase, "", {})


def _database(wrong: SQLAlchemyError) -> Response:
    if isinstance(wrong, OperationalError | TimeoutError | DisconnectionError):
        _log.warning("database_unavailable", path=request.path, error=type(wrong).__name__)
        return _missing(Missing("gateway", "away"))
    return _unexpected(wrong)


def _unexpected(wrong: Exception) -> Response:
    _log.error("page_failed", path=request.path, exc_info=wrong)
    return _problem(500, "Internal error", "", {})


def _problem(
    status: int, title: str, detail: str, problem: Mapping[str, Any], missing: Missing | None = None
) -> Response:
    facts = {"code": status, "title": title, "detail": detail, "problem": problem, "missing": missing}
    if by_htmx():
        response = page("console/problem.html", status, **facts)
        response.headers["HX-Retarget"], response.headers["HX-Reswap"] = "#problems", "innerHTML"
        return response
    template = "portal/error.html" if request.path.startswith("/portal") else "console/error.html"
    return page(template, status, **facts)


@cache
def _asset(name: str) -> str:
    """The address of a static file, with its content's hash: it may be kept for ever."""
    digest = hashlib.sha256((STATIC / name).read_bytes()).hexdigest()[:12]
    return f"/console/static/{name}?v={digest}"


def _address() -> str:
    limits = _app().api.limits
    remote = request.remote_addr or ""
    return limits.address_of(remote, request.headers.get("X-Forwarded-For")) if limits is not None else remote


def _app() -> Console:
    from flask import current_app  # noqa: PLC0415 - beside its one use

    return current_app._get_current_object()  # type: ignore[attr-defined]
