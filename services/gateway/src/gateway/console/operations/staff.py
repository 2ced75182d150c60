"""Staff, units and absence: the tree on the left, the people of a unit beside it, corrected in a drawer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, g, request

from gateway.console.backend import Refused
from gateway.console.operations.times import as_instant, as_typed
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import gettext, instant, language

blueprint = Blueprint("staff_pages", __name__, url_prefix="/console/staff")
LIST, FORM, UNIT, AWAY = (f"console/operations/{name}.html" for name in ("staff", "staff_form", "unit_form", "absence"))
MOST = 200
ROOT = "/console/staff/"


@blueprint.get("/")
def listing() -> Response:
    """Who works here: of one unit, or of all that the reader sees."""
    unit, role = request.args.get("unit", ""), request.args.get("role", "")
    parts = backend().fan_out(
        {
            "staff": ("staff", {"unit": unit, "role": role, "limit": MOST, "cursor": request.args.get("cursor", "")}),
            "units": ("units", {"limit": MOST}),
            "me": "staff/me",
        }
    )
    people = [{**one, "away": _away(one["absence"])} for one in parts["staff"].entries]
    units = [{**one, "depth": _depth(one["path"])} for one in parts["units"].entries]
    return page(
        LIST, parts=parts, people=people, units=units, unit=unit, role=role, titles=_titles(), myself=parts["me"].value
    )


@blueprint.get("/new")
def new() -> Response:
    """The form to take someone on."""
    return _person_form({"unit": request.args.get("unit", ""), "roles": [], "enabled": True}, None)


@blueprint.post("/new")
def take_on() -> Response:
    """Take someone on."""
    given = _given_person()
    body = {
        name: given[name] for name in ("username", "name", "unit", "roles", "superior", "password") if given.get(name)
    }
    try:
        made = backend().post("staff", body, key=key())
    except Refused as refused:
        return _person_form(given, None, _mendable(refused))
    return done(f"{ROOT}?unit={made['unit']}", gettext("%(name)s works here now.", name=made["name"]))


@blueprint.get("/<uuid:id>/edit")
def edit(id: Any) -> Response:
    """The form to change someone."""
    read = backend().ask("GET", f"staff/{id}")
    return _person_form({**read.value, "etag": read.etag, **_typed(read.value["absence"])}, read.value)


@blueprint.post("/<uuid:id>/edit")
def change(id: Any) -> Response:
    """Change unit, roles, superior, access and absence of someone."""
    given = _given_person()
    body: dict[str, Any] = {name: given.get(name) for name in ("name", "unit", "roles")}
    body |= {"superior": given.get("superior") or None, "enabled": bool(given.get("enabled"))}
    if any(given.get(name, "") != known for name, known in _typed(backend().get(f"staff/{id}")["absence"]).items()):
        body["absence"] = _absence(given)  # the form shows minutes: what nobody touched keeps its seconds
    if given.get("password"):
        body["password"] = given["password"]
    try:
        backend().patch(f"staff/{id}", body, etag=given.get("etag", ""))
    except Refused as refused:
        return _person_form({**given, "id": str(id)}, backend().get(f"staff/{id}"), _mendable(refused))
    return done(f"{ROOT}?unit={body['unit']}", gettext("Saved."))


@blueprint.get("/absence")
def my_absence() -> Response:
    """The form to say when one is away."""
    return _absence_form(_typed(backend().get("staff/me")["absence"]))


@blueprint.post("/absence")
def go_away() -> Response:
    """Say when one is away and who stands in; without times, that one is back."""
    given = form()
    absence = _absence(given)
    try:
        if absence is None:
            backend().delete("staff/me/absence")
        else:
            backend().put("staff/me/absence", absence)
    except Refused as refused:
        return _absence_form(given, _mendable(refused))
    return done(ROOT, gettext("You are here.") if absence is None else gettext("Your absence is known to everyone."))


@blueprint.get("/units/new")
def new_unit() -> Response:
    """The form to open a unit."""
    return _unit_form({"parent": request.args.get("parent", "")}, None)


@blueprint.post("/units/new")
def open_unit() -> Response:
    """Open a unit."""
    given = form()
    try:
        made = backend().post("units", given, key=key())
    except Refused as refused:
        return _unit_form(given, None, _mendable(refused))
    return done(f"{ROOT}?unit={made['code']}", gettext("The unit is open."))


@blueprint.get("/units/<uuid:id>/edit")
def edit_unit(id: Any) -> Response:
    """The form to rename a unit, or name its head."""
    read = backend().ask("GET", f"units/{id}")
    return _unit_form({**read.value, "etag": read.etag}, read.value)


@blueprint.post("/units/<uuid:id>/edit")
def change_unit(id: Any) -> Response:
    """Rename a unit, or name its head."""
    given = form()
    body = {"name": given.get("name"), "head": given.get("head")}
    try:
        made = backend().patch(f"units/{id}", body, etag=given.get("etag", ""))
    except Refused as refused:
        return _unit_form({**given, "id": str(id)}, backend().get(f"units/{id}"), _mendable(refused))
    return done(f"{ROOT}?unit={made['code']}", gettext("Saved."))


def _given_person() -> dict[str, Any]:
    return {**form(), "roles": request.form.getlist("roles")}


def _absence(given: Mapping[str, Any]) -> dict[str, Any] | None:
    begins, ends = given.get("away_from", ""), given.get("away_until", "")
    if not begins and not ends:
        return None
    times = {name: as_instant(value) for name, value in (("from", begins), ("until", ends)) if value}
    return {**times, "deputy": given.get("deputy") or None}


def _typed(absence: Mapping[str, Any] | None) -> dict[str, str]:
    """An absence as the form's fields show it."""
    known = absence or {}
    times = {"away_from": as_typed(known.get("from")), "away_until": as_typed(known.get("until"))}
    return {**times, "deputy": known.get("deputy") or ""}


def _away(absence: Mapping[str, Any] | None) -> str:
    """``now``, ``later`` or nothing."""
    if absence is None:
        return ""
    begins, ends = instant(absence["from"]), instant(absence["until"])
    if begins is None or ends is None or ends <= g.now:
        return ""
    return "now" if begins <= g.now else "later"


def _depth(path: str) -> int:
    return min(4, len([step for step in path.split("/") if step]))


def _titles() -> dict[str, str]:
    """Roles of the pack in the reader's language."""
    spoken = language()
    roles = g.company.roles
    return {name: role.title.get(spoken[:2]) or role.title.get(spoken) or name for name, role in roles.items()}


def _mendable(refused: Refused) -> Refused:
    """What the form can show; anything else is a page's problem."""
    if refused.status not in (403, 409, 412, 422):
        raise refused
    return refused


def _person_form(
    given: Mapping[str, Any], person: Mapping[str, Any] | None, refused: Refused | None = None
) -> Response:
    errors = {_FIELDS.get(path, path): messages for path, messages in (refused.errors if refused else {}).items()}
    return _form(FORM, refused, given=given, person=person, errors=errors, titles=_titles(), **_choices())


def _absence_form(given: Mapping[str, Any], refused: Refused | None = None) -> Response:
    errors = {_FIELDS.get(path, path): messages for path, messages in (refused.errors if refused else {}).items()}
    return _form(AWAY, refused, given=given, errors=errors, mine=me().username, **_choices())


def _unit_form(given: Mapping[str, Any], unit: Mapping[str, Any] | None, refused: Refused | None = None) -> Response:
    return _form(UNIT, refused, given=given, unit=unit, errors=dict(refused.errors) if refused else {}, **_choices())


_FIELDS = {
    "absence.deputy": "deputy", "absence.until": "away_until", "absence.from": "away_from", "from": "away_from",
    "until": "away_until",
}  # fmt: skip


def _choices() -> dict[str, Any]:
    parts = backend().fan_out(
        {"staff": ("staff", {"limit": MOST, "enabled": True}), "units": ("units", {"limit": MOST})}
    )
    people = [(one["username"], f"{one['name']} ({one['username']})") for one in parts["staff"].entries]
    units = [(one["code"], "　" * _depth(one["path"]) + one["name"]) for one in parts["units"].entries]
    return {"people": people, "units": units}


def _form(template: str, refused: Refused | None, **facts: Any) -> Response:
    """In the drawer, or as a page where there is no script."""
    facts["refused"] = refused
    status = 422 if refused and not by_htmx() else 200
    return fragment(template, "form", status, **facts) if by_htmx() else page(template, status, **facts)
