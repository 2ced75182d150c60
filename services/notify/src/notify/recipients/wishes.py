"""What customers want and don't want, and addresses that are to be left alone (CC-05)."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import time
from typing import Any
from uuid import UUID
from zoneinfo import available_timezones

from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from chassis.errors import Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from chassis.web import Principal
from notify.recipients.domain import fingerprint
from notify.recipients.queries import unit_paths
from notify.recipients.tables import Preference, RecipientCopy, Suppression


def the_customer(session: Session, principal: Principal, customer_id: UUID) -> RecipientCopy:
    """A customer of the caller's units. Raises NotFound."""
    copy = session.get(RecipientCopy, customer_id)
    if copy is None or not principal.sees_unit(unit_paths(session, [copy])[copy.customer_id]):
        raise NotFound(f"no customer {customer_id}")
    return copy


def preferred(session: Session, customer_id: UUID, *, lock: bool = False) -> Preference:
    """What the customer prefers; whoever never said has the regulation's ways, as version 0."""
    found = session.get(Preference, customer_id, with_for_update=lock)
    if found is not None:
        return found
    return Preference(
        customer_id=customer_id, locale=None, time_zone=None, quiet_from=None, quiet_until=None, channels=[], off=[],
        version=0,
    )  # fmt: skip


def prefer(context: Context, wishes: Preference, changes: Mapping[str, Any], by: str) -> Preference:
    """Merge changes into the wishes. Raises Invalid by field."""
    zone = changes.get("time_zone")
    if zone is not None and zone not in available_timezones():
        raise Invalid("There is no such time zone", {"time_zone": ["an IANA name, e.g. Asia/Shanghai"]})
    for name, value in changes.items():
        setattr(wishes, name, _clock_time(name, value) if name.startswith("quiet_") else value)
    if "off" in changes:
        wishes.off = [{"class": one["class_"], "channel": one["channel"]} for one in changes["off"]]
    if "channels" in changes:
        wishes.channels = list(dict.fromkeys(changes["channels"]))
    if (wishes.quiet_from is None) != (wishes.quiet_until is None) or (
        wishes.quiet_from is not None and wishes.quiet_from == wishes.quiet_until
    ):
        raise Invalid("Quiet hours have two different ends", {"quiet_until": ["give both, or neither"]})
    wishes.version += 1
    wishes.updated_at, wishes.updated_by = context.clock.now(), by
    context.session.add(wishes)
    context.session.flush()
    return wishes


def _clock_time(name: str, value: str | None) -> time | None:
    try:
        return None if value is None else time.fromisoformat(value)
    except ValueError:
        raise Invalid("Not a time of day", {name: ["write hours and minutes: 21:30"]}) from None


def suppress(context: Context, channel: str, address: str, reason: str, by: str) -> Suppression:
    """Send nothing to this address over this channel any more; said twice, the first reason stands."""
    now = context.clock.now()
    values = {
        "channel": channel, "fingerprint": fingerprint(channel, address), "id": uuid7(now), "address": address,
        "reason": reason, "at": now, "by": by,
    }  # fmt: skip
    context.session.execute(insert(Suppression).values(**values).on_conflict_do_nothing())
    found = select(Suppression).where(Suppression.channel == channel, Suppression.fingerprint == values["fingerprint"])
    return context.session.scalars(found).one()


def lift(session: Session, suppression_id: UUID) -> None:
    """Write to the address again. Raises NotFound."""
    row = session.scalars(select(Suppression).where(Suppression.id == suppression_id)).first()
    if row is None:
        raise NotFound(f"no suppression {suppression_id}")
    session.delete(row)
