"""Which units a caller sees, and which units stand above one: asked of the local copy of the organisation tree."""

from __future__ import annotations

from typing import Any

from sqlalchemy import literal, select
from sqlalchemy.orm import Session

from chassis.errors import Forbidden
from chassis.people import UnitRow
from chassis.people.sight import seen_by, sees_all
from chassis.web.principal import Principal

__all__ = ["above", "below", "seen_by", "sees_all", "unit_for"]


def below(unit: str) -> Any:
    """The codes of a unit and of every unit below it; the code itself even if the copy has not heard of it."""
    tops = select(UnitRow.path).where(UnitRow.code == unit)
    children = select(UnitRow.code).where(UnitRow.path.startswith(tops.scalar_subquery(), autoescape=False))
    return children.union(select(literal(unit)))


def above(session: Session, unit: str) -> set[str]:
    """The codes of a unit and of every unit above it."""
    path = session.scalar(select(UnitRow.path).where(UnitRow.code == unit))
    if path is None:
        return {unit}
    return {unit, *session.scalars(select(UnitRow.code).where(literal(path).startswith(UnitRow.path)))}


def unit_for(session: Session, principal: Principal, unit: str | None) -> str | None:
    """The unit a new record belongs to: the one named, else the caller's own. Raises Forbidden outside their subtree.

    The root may name a unit this service has not heard of: the copy follows the gateway by a moment.
    """
    if sees_all(principal):
        return unit
    if unit is None:
        return session.scalar(select(UnitRow.code).where(UnitRow.path == principal.unit_path))
    path = session.scalar(select(UnitRow.path).where(UnitRow.code == unit))
    if path is None or not principal.sees_unit(path):
        raise Forbidden(f"unit {unit} is outside your part of the organisation")
    return unit
