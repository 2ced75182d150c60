"""Which units a caller sees: asked of the local copy of the organisation tree, for tables that keep a unit's code."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, Select, Text, bindparam, func, select

from chassis.people.copy import UnitRow
from chassis.web.principal import Principal

ROOT = "/"


def sees_all(principal: Principal) -> bool:
    """Is the whole company the caller's?"""
    return principal.kind == "system" or principal.unit_path == ROOT


def seen_by(principal: Principal, unit: Any) -> ColumnElement[bool] | None:
    """A condition on a column of unit codes, or None for those who see the whole company."""
    if sees_all(principal):
        return None
    found: ColumnElement[bool] = unit.in_(
        select(UnitRow.code).where(UnitRow.path.startswith(principal.unit_path, autoescape=True))
    )
    return found


def codes_below(parameter: str = "below") -> Select[Any]:
    """The same units for a statement that is compiled beforehand: the caller's ``unit_path`` comes as a parameter."""
    return select(UnitRow.code).where(func.starts_with(UnitRow.path, bindparam(parameter, type_=Text)))
