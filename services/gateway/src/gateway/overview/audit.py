"""``audit``: the trails of all services as one, newest first; each is read, guarded and paged where it lives.

A page takes the newest rows of all trails. The cursor remembers for each service the page it was reading and how many
rows of it were used; an upper bound in time, fixed by the first page, keeps later rows from shifting those counts.
"""

from __future__ import annotations

import heapq
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from collections.abc import Mapping
from datetime import timedelta
from typing import Any

import orjson

from chassis.audit.api import AuditQuery
from chassis.errors import Invalid
from chassis.web import Blueprint, Schema, fields, requires, work
from chassis.web.fields import instant
from gateway.console.backend import Part, Question
from gateway.overview.asking import MissingSchema, backend_for_caller, missing, refuse_what_is_refused
from gateway.routing.table import SEGMENTS

blueprint = Blueprint("whole-audit", __name__, description="Who did what, in all services")
SERVICES = (*SEGMENTS, "gateway")
MOST = 200  # rows that a service gives at once


class WholeAuditArgs(AuditQuery):
    """Filters, as each service knows them; without ``service`` all are asked."""

    service = fields.Choice(*SERVICES)


class WholeAuditSchema(Schema):
    """One page; a service that did not answer on the first page stays out of the following ones."""

    items = fields.List(fields.Dict(), required=True, metadata={"description": "audit rows with their `service`"})
    next = fields.String(required=True, allow_none=True)
    missing = fields.List(fields.Nested(MissingSchema), required=True)


@blueprint.get("/audit")
@requires("audit:read")
@blueprint.arguments(WholeAuditArgs, location="query")
@blueprint.response(200, WholeAuditSchema)
def whole_audit(query: dict[str, Any]) -> dict[str, Any]:
    """Who did what in all services, newest first"""
    limit, cursor, service = query.pop("limit"), query.pop("cursor"), query.pop("service", None)
    names = (service,) if service else SERVICES
    if cursor is None:
        query.setdefault("until", work().clock.now() + timedelta(microseconds=1))
        places: dict[str, list[Any]] = {name: [None, 0] for name in names}
    else:
        query["until"], places = _read(cursor, names)
    filters = {name: instant(value) if name in ("since", "until") else value for name, value in query.items()}
    questions = {name: _question(name, filters, limit, *place) for name, place in places.items()}
    parts = backend_for_caller().fan_out(questions)
    refuse_what_is_refused(parts.values())
    shown = _newest({name: part for name, part in parts.items() if part.ok}, places, limit)
    used = Counter(row["service"] for row in shown)
    onward = {name: _onward(parts[name], place, used[name]) for name, place in places.items() if parts[name].ok}
    after = {name: place for name, place in onward.items() if place is not None}
    return {
        "items": shown,
        "next": _write(filters["until"], after) if after else None,
        "missing": missing(parts, questions),
    }


def _question(name: str, filters: dict[str, Any], limit: int, cursor: str | None, used: int) -> Question:
    wanted = {**filters, "limit": min(limit + used, MOST), "cursor": cursor}
    return f"services/{name}/audit", wanted


def _newest(parts: Mapping[str, Part], places: Mapping[str, list[Any]], limit: int) -> list[dict[str, Any]]:
    """The trails merged, until the page is full or a trail's page is used up that has another one behind it."""
    rows = {name: [{"service": name, **row} for row in part.entries[places[name][1] :]] for name, part in parts.items()}
    left = {name: len(found) for name, found in rows.items()}
    shown: list[dict[str, Any]] = []
    for row in heapq.merge(*rows.values(), key=lambda row: row["at"], reverse=True):
        shown.append(row)
        name = row["service"]
        left[name] -= 1
        if len(shown) == limit or (left[name] == 0 and parts[name].get("next")):
            break
    return shown


def _onward(part: Part, place: list[Any], used: int) -> list[Any] | None:
    """Where a service goes on: within the same page of it, on its next one, or nowhere."""
    if place[1] + used < len(part.entries):
        return [place[0], place[1] + used]
    return [part.get("next"), 0] if part.get("next") else None


def _write(until: str, places: dict[str, list[Any]]) -> str:
    return urlsafe_b64encode(orjson.dumps([until, places])).decode().rstrip("=")


def _read(cursor: str, names: tuple[str, ...]) -> tuple[Any, dict[str, list[Any]]]:
    try:
        until, places = orjson.loads(urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)))
        well_formed = set(places) <= set(names) and all(
            (page is None or isinstance(page, str)) and isinstance(used, int) and 0 <= used < MOST
            for page, used in places.values()
        )
        if well_formed:
            return fields.Instant().deserialize(until), places
    except (ValueError, TypeError, AttributeError):
        pass
    raise Invalid("The cursor is not one of this list", {"cursor": ["not a cursor of this list"]})
