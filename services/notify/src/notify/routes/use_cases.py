"""The routes in force: the regulation's, and those that were added beside them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid, NotFound
from chassis.ids import uuid7
from chassis.runtime import Context
from notify.policy.events import events_known, members_of
from notify.policy.reader import address_fault, recipient_fault
from notify.policy.rules import NotifyPolicy, Recipient, Route
from notify.routes.tables import RouteRow


def in_force(session: Session, policy: NotifyPolicy) -> list[Route]:
    """All routes that events are planned by."""
    added = session.scalars(select(RouteRow).where(RouteRow.enabled).order_by(RouteRow.name))
    return [*policy.routes, *(as_route(row) for row in added)]


def as_route(row: RouteRow) -> Route:
    """A row as the planner knows it."""
    return Route(
        name=row.name,
        event=row.event,
        to=tuple(recipient(one) for one in row.to),
        class_=row.class_,
        template=row.template,
        when=row.when,
        channels=tuple(row.channels),
        urgent=row.urgent,
        clause=row.clause,
    )


def recipient(said: Any) -> Recipient:
    """A recipient from its plain writing."""
    if isinstance(said, str):
        return Recipient("named", said)
    if "role" in said:
        return Recipient("role", said["role"])
    return Recipient("address", said["address"], said["channel"])


def add_route(context: Context, body: Mapping[str, Any], by: str) -> RouteRow:
    """Tell an event to somebody the regulation does not name. Raises Conflict for a name in use, Invalid."""
    policy = context.policies.in_force()
    rules: NotifyPolicy = policy.rules
    name = body["name"]
    taken = any(route.name == name for route in rules.routes)
    if taken or context.session.get(RouteRow, name) is not None:
        raise Conflict(f"there is or was a route {name}: give it another name")
    check(body, policy.company.roles)
    now = context.clock.now()
    row = RouteRow(
        name=name, id=uuid7(now), event=body["event"], to=body["to"], when=body["when"], class_=body["class_"],
        template=body["template"] or name, channels=body["channels"], urgent=body["urgent"], enabled=True,
        clause=body["clause"], version=1, created_at=now, created_by=by,
    )  # fmt: skip
    context.session.add(row)
    context.session.flush()
    return row


def check(body: Mapping[str, Any], roles: Mapping[str, Any]) -> None:
    """What no schema says of a route. Raises Invalid by path."""
    errors: dict[str, list[str]] = {}
    event = body["event"]
    members = members_of(event)
    if members is None:
        errors["event"] = [f"no such event; there are {', '.join(sorted(events_known()))}"]
    else:
        for member in body["when"]:
            if member not in members:
                errors[f"when.{member}"] = [f"{event} has no such member"]
    for index, one in enumerate(map(recipient, body["to"])):
        fault = None
        if one.kind == "role" and one.value not in roles:
            fault = "the pack names no such role"
        elif one.kind == "named" and members is not None:
            fault = recipient_fault(one.value, event)
        elif one.kind == "address":
            found = address_fault(one.value, one.channel or "")
            fault = found[0] if found else None
        if fault:
            errors[f"to.{index}"] = [fault]
    if errors:
        raise Invalid("This route would reach nobody", errors)


def the_route(session: Session, name: str) -> RouteRow:
    """A route that was added over the API. Raises NotFound."""
    row = session.get(RouteRow, name)
    if row is None:
        raise NotFound(f"no route {name} was added here")
    return row


def change_route(context: Context, row: RouteRow, enabled: bool) -> RouteRow:
    """Switch an added route on or off; what it already planned stays."""
    row.enabled = enabled
    row.version += 1
    context.session.flush()
    return row
