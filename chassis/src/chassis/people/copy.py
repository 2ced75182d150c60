"""The copy of staff and units: each event carries the whole state and is applied only if newer than what is here."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, Index, Text, func, select
from sqlalchemy.dialects.postgresql import ARRAY, JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.messaging.delivery import Delivery, Reject
from chassis.runtime import Context
from chassis.service import Subscription
from chassis.storage.schema import ChassisBase
from chassis.storage.writing import write_newer
from chassis.web.principal import ADMINISTRATOR, closed


class StaffRow(ChassisBase):
    """A member of staff as the gateway last told; ``state`` is the event's whole data."""

    __tablename__ = "staff"
    __table_args__ = (Index("ix_staff_roles", "roles", postgresql_using="gin"), Index("ix_staff_username", "username"))

    id: Mapped[str] = mapped_column(primary_key=True)
    username: Mapped[str]
    name: Mapped[str]
    enabled: Mapped[bool]
    unit_path: Mapped[str]
    superior: Mapped[str | None]
    roles: Mapped[list[str]] = mapped_column(ARRAY(Text))
    version: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime]


class UnitRow(ChassisBase):
    """A node of the organisation tree."""

    __tablename__ = "unit"
    __table_args__ = (Index("ix_unit_path", "path"), Index("ix_unit_code", "code"))

    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    name: Mapped[str]
    path: Mapped[str]
    version: Mapped[int] = mapped_column(BigInteger)
    state: Mapped[dict[str, Any]] = mapped_column(JSONB)
    updated_at: Mapped[datetime]


def subscription() -> Subscription:
    """The queue every service keeps its copy with; bootstraps list it among their subscriptions."""
    return Subscription(
        name="staff",
        family="events",
        bindings=("staff.changed.#", "unit.changed.#"),
        handle=apply,
        accepts=frozenset({"staff.changed.v1", "unit.changed.v1"}),
    )


def apply(context: Context, delivery: Delivery) -> None:
    """Take the state an event carries, unless the copy is as new already."""
    event = delivery.event
    if event.sequence is None or not event.sequence.isdigit():
        raise Reject("a state event needs a numeric sequence")
    take = _take_staff if event.type.startswith("staff.") else _take_unit
    take(context.session, event.data, int(event.sequence), context.clock.now())


def _take_staff(session: Session, data: dict[str, Any], version: int, now: datetime) -> None:
    values = {
        "id": str(data.get("staff_id") or data["id"]),
        "username": data["username"],
        "name": data.get("name") or data["username"],
        "enabled": bool(data.get("enabled", True)),
        "unit_path": closed(data.get("unit_path") or "/-/"),
        "superior": data.get("superior"),
        "roles": list(data.get("roles", [])),
        "version": version,
        "state": data,
        "updated_at": now,
    }
    write_newer(session, StaffRow, [values])


def _take_unit(session: Session, data: dict[str, Any], version: int, now: datetime) -> None:
    values = {
        "id": str(data.get("unit_id") or data["id"]),
        "code": data["code"],
        "name": data.get("name") or data["code"],
        "path": closed(data["path"]),
        "version": version,
        "state": data,
        "updated_at": now,
    }
    write_newer(session, UnitRow, [values])


def is_away(state: Mapping[str, Any], now: datetime) -> bool:
    """Whether a member of staff, as the gateway last told, is away at ``now``; no end means until further notice."""
    begins, ends = state.get("away_from"), state.get("away_until")
    if begins is None:
        return False
    return datetime.fromisoformat(begins) <= now and (ends is None or now < datetime.fromisoformat(ends))


def administrators(session: Session) -> int:
    """How many enabled members of staff hold the administrator's role."""
    found = select(func.count()).where(StaffRow.enabled, StaffRow.roles.contains([ADMINISTRATOR]))
    return session.scalar(found) or 0
