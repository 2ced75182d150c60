"""``units``, ``staff`` and ``roles`` over HTTP. Staff are seen within the caller's own unit subtree."""

from __future__ import annotations

import uuid
from typing import Any

from sqlalchemy import or_, select
from sqlalchemy.orm import joinedload

from chassis.errors import Forbidden, NotFound
from chassis.web import Blueprint, Page, PageArgs, Work, etag, requires, work
from gateway.people import schemas, staff, units
from gateway.people.domain import Absence, fold_username
from gateway.people.tables import Staff, Unit
from gateway.permissions import PERMISSIONS

blueprint = Blueprint("people", __name__, description="Units, staff and roles")


def known_roles(at: Work) -> frozenset[str]:
    """The roles of the policy pack in force."""
    return frozenset(at.policies.in_force().company.roles)


def dump_unit(unit: Unit) -> dict[str, Any]:
    """A unit as UnitSchema shows it."""
    return {
        "id": unit.id,
        "code": unit.code,
        "name": unit.name,
        "path": unit.path,
        "parent": unit.parent.code if unit.parent else None,
        "head": unit.head.username if unit.head else None,
    }


def dump_staff(one: Staff) -> dict[str, Any]:
    """A staff member as StaffSchema shows them."""
    absence = None
    if one.absent_from and one.absent_until:
        deputy = one.deputy.username if one.deputy else None
        absence = {"since": one.absent_from, "until": one.absent_until, "deputy": deputy}
    return {
        "id": one.id,
        "username": one.username,
        "name": one.name,
        "unit": one.unit.code,
        "unit_path": one.unit.path,
        "roles": one.roles,
        "superior": one.superior.username if one.superior else None,
        "enabled": one.enabled,
        "absence": absence,
    }


@blueprint.get("/units")
@requires("units:read")
@blueprint.arguments(PageArgs, location="query")
@blueprint.response(200, Page.schema(schemas.UnitSchema))
def list_units(query: dict[str, Any]) -> dict[str, Any]:
    """All units, parents before children."""
    found = select(Unit).options(joinedload(Unit.parent), joinedload(Unit.head))
    return Page.of(work().session, found, [Unit.path], query["limit"], query["cursor"], dump_unit)


@blueprint.post("/units")
@requires("units:write")
@blueprint.arguments(schemas.NewUnitSchema)
@blueprint.response(201, schemas.UnitSchema)
def open_unit(body: dict[str, Any]) -> dict[str, Any]:
    """Open a unit."""
    at = work()
    unit = units.open_unit(at.session, at.clock, units.NewUnit(**body))
    at.note(f"unit:{unit.code}")
    etag.tag(unit.version)
    return dump_unit(unit)


@blueprint.get("/units/<uuid:unit_id>")
@requires("units:read")
@blueprint.response(200, schemas.UnitSchema)
def get_unit(unit_id: uuid.UUID) -> dict[str, Any]:
    """One unit."""
    unit = work().session.get(Unit, unit_id)
    if unit is None:
        raise NotFound("There is no such unit.")
    etag.tag(unit.version)
    return dump_unit(unit)


@blueprint.patch("/units/<uuid:unit_id>")
@requires("units:write", if_match=True)
@blueprint.arguments(schemas.UnitPatchSchema)
@blueprint.response(200, schemas.UnitSchema)
def change_unit(body: dict[str, Any], unit_id: uuid.UUID) -> dict[str, Any]:
    """Rename a unit, or name its head."""
    at = work()
    unit = units.lock_unit(at.session, unit_id)
    etag.require_match(unit.version)
    head = unit.head
    if "head" in body:
        head = staff.staff_by_username(at.session, body["head"], "head") if body["head"] else None
    units.change_unit(at.session, at.clock, unit, name=body.get("name", unit.name), head=head)
    at.note(f"unit:{unit.code}", fields=sorted(body))
    etag.tag(unit.version)
    return dump_unit(unit)


@blueprint.get("/staff")
@requires("staff:read")
@blueprint.arguments(schemas.StaffArgs, location="query")
@blueprint.response(200, Page.schema(schemas.StaffSchema))
def list_staff(query: dict[str, Any]) -> dict[str, Any]:
    """The staff of the caller's unit and of those below it."""
    at = work()
    found = select(Staff).join(Staff.unit).options(joinedload(Staff.superior), joinedload(Staff.deputy))
    own = at.principal.unit_path
    if own != "/":
        found = found.where(or_(Unit.path == own.rstrip("/"), Unit.path.startswith(own, autoescape=True)))
    if query["unit"]:
        found = found.where(Unit.code == query["unit"])
    if query["role"]:
        found = found.where(Staff.roles.contains([query["role"]]))
    if query["enabled"] is not None:
        found = found.where(Staff.enabled.is_(query["enabled"]))
    if query["username"]:
        found = found.where(Staff.username == fold_username(query["username"]))
    return Page.of(at.session, found, [Staff.username], query["limit"], query["cursor"], dump_staff)


@blueprint.post("/staff")
@requires("staff:write")
@blueprint.arguments(schemas.NewStaffSchema)
@blueprint.response(201, schemas.StaffSchema)
def take_on(body: dict[str, Any]) -> dict[str, Any]:
    """Take someone on."""
    at = work()
    one = staff.take_on(at.session, at.clock, known_roles(at), staff.NewStaff(**body))
    at.note(f"staff:{one.username}", roles=one.roles, unit=one.unit.code)
    etag.tag(one.version)
    return dump_staff(one)


@blueprint.get("/staff/me")
@requires()
@blueprint.response(200, schemas.StaffSchema)
@blueprint.alt_response(404)
def get_myself() -> dict[str, Any]:
    """The caller as the company knows them."""
    at = work()
    one = at.session.get(Staff, _own_id(at))
    if one is None:
        raise NotFound("You are not among the staff.")
    etag.tag(one.version)
    return dump_staff(one)


@blueprint.put("/staff/me/absence")
@requires()
@blueprint.arguments(schemas.AbsenceSchema)
@blueprint.response(200, schemas.StaffSchema)
@blueprint.alt_response(404)
def go_away(body: dict[str, Any]) -> dict[str, Any]:
    """Say when one is away, and who stands in."""
    return _own_absence(Absence(**body))


@blueprint.delete("/staff/me/absence")
@requires()
@blueprint.response(200, schemas.StaffSchema)
@blueprint.alt_response(404)
def come_back() -> dict[str, Any]:
    """Take one's absence back, or end it early."""
    return _own_absence(None)


@blueprint.get("/staff/<uuid:staff_id>")
@requires("staff:read")
@blueprint.response(200, schemas.StaffSchema)
def get_staff(staff_id: uuid.UUID) -> dict[str, Any]:
    """One staff member."""
    at = work()
    one = at.session.get(Staff, staff_id)
    if one is None or not (str(one.id) == at.principal.id or at.principal.sees_unit(one.unit.path)):
        raise NotFound("There is no such staff member.")
    etag.tag(one.version)
    return dump_staff(one)


@blueprint.patch("/staff/<uuid:staff_id>")
@requires("staff:write", if_match=True)
@blueprint.arguments(schemas.StaffPatchSchema)
@blueprint.response(200, schemas.StaffSchema)
def change_staff(body: dict[str, Any], staff_id: uuid.UUID) -> dict[str, Any]:
    """Change unit, roles, superior, absence; enable, disable; give someone else a new password."""
    at = work()
    one = staff.lock_staff(at.session, staff_id)
    etag.require_match(one.version)
    if password := body.get("password"):
        if str(one.id) == at.principal.id:
            raise Forbidden("Your own password is changed at auth/password, with the present one.")
        staff.reset_password(at.session, at.clock, one, password)
    now = dump_staff(one)
    wanted = {name: body.get(name, now[name]) for name in ("name", "unit", "roles", "superior", "enabled", "absence")}
    wanted["absence"] = Absence(**wanted["absence"]) if wanted["absence"] else None
    staff.change_staff(at.session, at.clock, known_roles(at), one, staff.StaffState(**wanted))
    at.note(f"staff:{one.username}", fields=sorted(body), roles=one.roles, enabled=one.enabled)
    etag.tag(one.version)
    return dump_staff(one)


@blueprint.get("/roles")
@requires("roles:read")
@blueprint.response(200, schemas.RolesSchema)
def list_roles() -> dict[str, Any]:
    """The roles of the policy pack."""
    roles = work().policies.in_force().company.roles
    items = [
        {
            "role": name,
            "title": dict(role.title),
            "compensation": None if role.compensation is None else format(role.compensation, "f"),
            "permissions": sorted(permission for permission, holders in PERMISSIONS.items() if name in holders),
        }
        for name, role in roles.items()
    ]
    return {"items": items, "next": None}


def _own_id(at: Work) -> uuid.UUID:
    if at.principal.kind != "staff":
        raise NotFound("You are not among the staff.")
    return uuid.UUID(at.principal.id)


def _own_absence(absence: Absence | None) -> dict[str, Any]:
    at = work()
    one = staff.lock_staff(at.session, _own_id(at))
    staff.set_absence(at.session, at.clock, one, absence)
    at.note(f"staff:{one.username}", fields=["absence"])
    etag.tag(one.version)
    return dump_staff(one)
