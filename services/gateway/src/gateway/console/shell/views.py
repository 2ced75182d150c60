"""Signing in and out, the language, the counts of the rail, the search box."""

from __future__ import annotations

import hmac
import math
import secrets
from collections.abc import Mapping
from typing import Any

import structlog
from flask import Blueprint, Response, current_app, g, make_response, redirect, request

from gateway.console import sessions
from gateway.console.area import Area, Section
from gateway.console.backend import Part
from gateway.console.security import local
from gateway.console.shell.demonstration import guises
from gateway.console.web import backend, by_htmx, done, fragment, me, page, public
from gateway.console.words import COOKIE, LANGUAGES, N_, gettext, language, number
from gateway.signin import use_cases

blueprint = Blueprint("shell", __name__)
_log = structlog.get_logger(__name__)
GATE = "kezhi_gate"
_YEAR = 31_536_000

# Roles of the default pack, as people say them; a pack's own titles are shown where it has others.
ROLES = (
    N_("Front desk"),
    N_("Account manager"),
    N_("Handler"),
    N_("Service manager"),
    N_("Store manager"),
    N_("Director"),
    N_("Supervisor"),
    N_("Marketing"),
    N_("Finance"),
    N_("Administrator"),
    N_("Auditor"),
)
SERVICES = (N_("Customer"), N_("Complaint"), N_("Loyalty"), N_("Notify"), N_("Gateway"))


def secure() -> bool:
    """Whether browsers reach us over https: then cookies never travel otherwise."""
    return request.is_secure or bool(current_app.config["COOKIES_BY_HTTPS_ALONE"])


def session_cookie() -> str:
    """The cookie's name; over https it is bound to this very host."""
    return "__Host-kezhi" if secure() else "kezhi_session"


def role_title(role: str) -> str:
    """A role as the pack calls it in the reader's language, else as we do."""
    known = g.company.roles
    title: Mapping[str, str] = known[role].title if role in known else {}
    return title.get(language()[:2]) or gettext(role.replace("_", " ").capitalize())


def role_titles() -> str:
    """The reader's roles in words."""
    return ("、" if language() == "zh-CN" else ", ").join(role_title(role) for role in sorted(me().roles))


@blueprint.get("/")
@public
def root() -> Response:
    """Where one lands."""
    return make_response(redirect("/console/", 302))


@blueprint.get("/favicon.ico")
@public
def favicon() -> Response:
    """Browsers ask for it unasked."""
    return make_response(redirect("/console/static/favicon.svg", 302))


@blueprint.get("/console/sign-in")
@public
def sign_in_page() -> Response:
    """The way in."""
    if g.visit is not None:
        return done(local(request.args.get("next")))
    return _sign_in_form(local(request.args.get("next")))


@blueprint.post("/console/sign-in")
@public
def sign_in() -> Response:
    """Prove who one is; a new session begins, whatever cookie came along."""
    username, password = request.form.get("username", ""), request.form.get("password", "")
    target = local(request.form.get("next"))
    gate = request.cookies.get(GATE, "")
    if not gate or not hmac.compare_digest(gate.encode(), request.form.get("csrf", "").encode()):
        return _sign_in_form(target, username, gettext("The page had expired. Please try again."), 403)
    if not username.strip() or not password:
        return _sign_in_form(target, username, gettext("Enter your username and your password."), 422)
    runtime = current_app.runtime  # type: ignore[attr-defined]
    with runtime.context() as context:
        admission = use_cases.prove(context.session, context.clock, username[:64], password[:1024])
        cookie = None
        if admission.staff is not None and not admission.refused:
            cookie = sessions.begin(context.session, context.clock, admission.staff.id)
    staff_id = str(admission.staff.id) if admission.staff else None
    if admission.wait_until is not None:
        wait = max(1, math.ceil((admission.wait_until - g.now).total_seconds()))
        said = gettext("Too many wrong passwords in a row. Wait %(n)s seconds before the next try.", n=wait)
        response = _sign_in_form(target, username, said, 429)
        response.headers["Retry-After"] = str(wait)
        return response
    if cookie is None:
        _log.warning("sign_in_refused", staff_id=staff_id, reason=admission.refused)
        return _sign_in_form(target, username, gettext("Username or password is wrong."), 401)
    _log.info("signed_in", staff_id=staff_id)
    response = done(target)
    response.set_cookie(session_cookie(), cookie, httponly=True, secure=secure(), samesite="Lax", path="/")
    response.delete_cookie(GATE, path="/console/sign-in")
    return response


@blueprint.post("/console/sign-out")
def sign_out() -> Response:
    """End the sign-in that this session belongs to."""
    with current_app.runtime.context() as context:  # type: ignore[attr-defined]
        sessions.end(context.session, context.clock, request.cookies[session_cookie()])
    _log.info("signed_out", staff_id=str(me().staff_id))
    response = done("/console/sign-in")
    response.delete_cookie(session_cookie(), path="/", secure=secure())
    return response


@blueprint.get("/console/language/<code>")
@public
def choose_language(code: str) -> Response:
    """Switch the language of every page."""
    response = make_response(redirect(local(request.args.get("next")), 303))
    if code in LANGUAGES:
        response.set_cookie(COOKIE, code, max_age=_YEAR, samesite="Lax", secure=secure(), path="/")
    return response


@blueprint.get("/console/rail")
def rail() -> Response:
    """The sections with their counts as they are now."""
    visit = me()
    sections: list[Section] = [s for s in current_app.sections if s.shown_to(visit)]  # type: ignore[attr-defined]
    asked = {path for s in sections for path, _ in (c for c in (s.count, s.urgent) if c)}
    answers = backend().fan_out({path: path for path in asked}, 1.5)

    def counted(count: tuple[str, str] | None) -> str:
        answer = answers[count[0]] if count else Part()
        value = answer.get(count[1]) if count else None
        found = len(value) if isinstance(value, list) else value if isinstance(value, int) else 0
        return number(found) + ("+" if answer.get("next") else "") if found else ""

    counts = {s.name: (counted(s.count), counted(s.urgent)) for s in sections}
    return fragment(
        "console/rail.html", "entries", sections=sections, counts=counts, here_path=request.args.get("at", "")
    )


@blueprint.get("/console/search")
def search() -> Response:
    """What the search box finds: as a list under the box, or as a page of its own."""
    q = request.args.get("q", "").strip()[:100]
    found: Any = backend().fan_out({"found": ("search", {"q": q})})["found"] if q else None
    if by_htmx():
        return fragment("console/shell/search.html", "results", q=q, found=found)
    return page("console/shell/search.html", q=q, found=found)


def _sign_in_form(target: str, username: str = "", problem: str = "", status: int = 200) -> Response:
    g.gate = secrets.token_urlsafe(24)
    facts: dict[str, Any] = {"next": target, "username": username, "problem_text": problem}
    if current_app.config["DEMO_PASSWORD"]:
        with current_app.runtime.context() as context:  # type: ignore[attr-defined]
            facts |= {"guises": guises(context.session), "demo_password": current_app.config["DEMO_PASSWORD"]}
    response = page("console/shell/sign_in.html", status, **facts)
    response.set_cookie(
        GATE, g.gate, httponly=True, samesite="Strict", secure=secure(), path="/console/sign-in", max_age=3600
    )
    return response


AREA = Area(blueprint, texts={"role_title": role_title, "role_titles": role_titles})
