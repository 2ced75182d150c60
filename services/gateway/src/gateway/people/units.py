"""The tree of units: companies, branches, stores and departments, each with a path from the root."""

from __future__ import annotations

import uuid
from dataclasses import dataclass

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.clock import Clock
from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from gateway.people.announcements import announce_unit
from gateway.people.domain import ROOT_PATH, child_path
from gateway.people.tables import Staff, Unit


@dataclass(frozen=True)
class NewUnit:
    """``parent`` is a code; without one the unit hangs below the company itself."""

    code: str
    name: str
    parent: str | None = None


def open_unit(session: Session, clock: Clock, command: NewUnit) -> Unit:
    """Add a unit to the tree. Raises Conflict when the code is taken, Invalid when the parent is unknown."""
    if session.scalar(select(Unit.id).where(Unit.code == command.code)):
        raise Conflict(f"A unit with code {command.code} exists already.", code=command.code)
    parent = unit_by_code(session, command.parent, "parent") if command.parent else _root(session)
    now = clock.now()
    unit = Unit(
        id=uuid7(now),
        code=command.code,
        name=command.name,
        parent=parent,
        path=child_path(parent.path, command.code),
        version=0,
        created_at=now,
        updated_at=now,
    )
    session.add(unit)
    announce_unit(session, unit, clock)
    return unit


def open_company(session: Session, clock: Clock, name: str) -> Unit:
    """The root of the tree, once per installation."""
    now = clock.now()
    root = Unit(id=uuid7(now), code="root", name=name, path=ROOT_PATH, version=0, created_at=now, updated_at=now)
    session.add(root)
    announce_unit(session, root, clock)
    return root


def change_unit(session: Session, clock: Clock, unit: Unit, *, name: str, head: Staff | None) -> Unit:
    """Rename the unit or name its head; nothing is announced when nothing changed."""
    if (unit.name, unit.head) != (name, head):
        unit.name, unit.head = name, head
        announce_unit(session, unit, clock)
    return unit


def lock_unit(session: Session, unit_id: uuid.UUID) -> Unit:
    """The unit, held against a second change. Raises NotFound."""
    unit = session.scalar(select(Unit).where(Unit.id == unit_id).with_for_update())
    if unit is None:
        raise NotFound("There is no such unit.")
    return unit


def unit_by_code(session: Session, code: str, field: str) -> Unit:
    """The unit that a request names by its code in ``field``. Raises Invalid."""
    unit = session.scalar(select(Unit).where(Unit.code == code))
    if unit is None:
        raise Invalid("A unit that the request names does not exist.", {field: [f"there is no unit with code {code}"]})
    return unit


def _root(session: Session) -> Unit:
    return session.scalars(select(Unit).where(Unit.path == ROOT_PATH)).one()
