"""State events of staff and units: the whole present state each time, so that only the newest matters.

The same events serve ``resync``: a service deployed later is brought level by snapshots (decision 9).
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload

from chassis.clock import Clock
from chassis.ids import derived_id
from chassis.messaging.event import Event
from chassis.messaging.outbox import announce
from gateway.people.tables import Staff, Unit

PAGE = 500
SOURCE = "/kezhi/gateway"


def staff_state(staff: Staff) -> dict[str, Any]:
    """The ``data`` of ``staff.changed.v1``."""
    return {
        "staff_id": str(staff.id),
        "username": staff.username,
        "name": staff.name,
        "enabled": staff.enabled,
        "unit": staff.unit.code,
        "unit_path": staff.unit.path,
        "roles": sorted(staff.roles),
        "superior": staff.superior.username if staff.superior else None,
        "superior_id": str(staff.superior_id) if staff.superior_id else None,
        "away_from": _instant(staff.absent_from),
        "away_until": _instant(staff.absent_until),
        "deputy": staff.deputy.username if staff.deputy else None,
        "changed_at": _instant(staff.updated_at),
    }


def unit_state(unit: Unit) -> dict[str, Any]:
    """The ``data`` of ``unit.changed.v1``."""
    return {
        "unit_id": str(unit.id),
        "code": unit.code,
        "name": unit.name,
        "path": unit.path,
        "parent": unit.parent.code if unit.parent else None,
        "parent_id": str(unit.parent_id) if unit.parent_id else None,
        "head": unit.head.username if unit.head else None,
        "changed_at": _instant(unit.updated_at),
    }


def announce_staff(session: Session, staff: Staff, clock: Clock) -> None:
    """Record the staff member's new state: counts the version up and puts the event beside it."""
    staff.version += 1
    staff.updated_at = clock.now()
    session.flush()
    announce(
        session,
        "staff.changed.v1",
        subject=str(staff.id),
        data=staff_state(staff),
        key=f"{staff.id}:{staff.version}",
        sequence=_padded(staff.version),
    )


def announce_unit(session: Session, unit: Unit, clock: Clock) -> None:
    """Record the unit's new state: counts the version up and puts the event beside it."""
    unit.version += 1
    unit.updated_at = clock.now()
    session.flush()
    announce(
        session,
        "unit.changed.v1",
        subject=str(unit.id),
        data=unit_state(unit),
        key=f"{unit.id}:{unit.version}",
        sequence=_padded(unit.version),
    )


def staff_pages(session: Session) -> Iterator[list[Event]]:
    """Every staff member's present state, page by page, in constant memory."""
    columns = select(Staff).options(joinedload(Staff.superior), joinedload(Staff.deputy)).order_by(Staff.id)
    last = None
    while page := session.scalars((columns.where(Staff.id > last) if last else columns).limit(PAGE)).all():
        yield [_snapshot("staff.changed.v1", one, staff_state(one)) for one in page]
        last = page[-1].id
        session.expunge_all()


def unit_pages(session: Session) -> Iterator[list[Event]]:
    """Every unit's present state, page by page, parents before children."""
    columns = select(Unit).options(joinedload(Unit.parent), joinedload(Unit.head)).order_by(Unit.path)
    last = None
    while page := session.scalars((columns.where(Unit.path > last) if last else columns).limit(PAGE)).all():
        yield [_snapshot("unit.changed.v1", one, unit_state(one)) for one in page]
        last = page[-1].path
        session.expunge_all()


def _snapshot(kind: str, aggregate: Staff | Unit, data: dict[str, Any]) -> Event:
    # The id is that of the change that made this state: an inbox that saw it live absorbs the snapshot.
    key = f"{aggregate.id}:{aggregate.version}"
    return Event(
        id=str(derived_id(SOURCE, key, kind)),
        source=SOURCE,
        type=kind,
        subject=str(aggregate.id),
        time=aggregate.updated_at,
        data=data,
        sequence=_padded(aggregate.version),
    )


def _padded(version: int) -> str:
    return f"{version:020d}"


def _instant(at: datetime | None) -> str | None:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z") if at else None
