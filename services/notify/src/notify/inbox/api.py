"""``inbox``: the caller's own items, and nobody else's."""

from __future__ import annotations

from typing import Any

from flask import Response
from marshmallow.validate import Length
from sqlalchemy import ColumnElement, Select, and_, func, select, update
from sqlalchemy.orm import Session

from chassis.people.guard import viewer
from chassis.web import Blueprint, Page, PageArgs, Principal, Schema, answer, fields, glance, requires, work
from notify.inbox.tables import InboxItem

blueprint = Blueprint("inbox", __name__, description="What each member of staff has to read and to do")


class InboxArgs(PageArgs):
    """Which items."""

    unread = fields.Flag(load_default=None)
    kind = fields.Choice("message", "call_task", load_default=None)


class ItemSchema(Schema):
    """An item; ``link`` says what it is about."""

    id = fields.Uuid(required=True)
    message_id = fields.Uuid(required=True)
    kind = fields.Choice("message", "call_task", required=True)
    class_ = fields.String(required=True, data_key="class")
    template = fields.String(required=True)
    subject = fields.String(required=True, allow_none=True)
    body = fields.String(required=True)
    link = fields.Dict(required=True)
    created_at = fields.Instant(required=True)
    read_at = fields.Instant(required=True, allow_none=True)


class ReadingSchema(Schema):
    """``POST inbox/read``."""

    ids = fields.List(fields.Uuid(), required=True, validate=Length(1, 200))


class CountSchema(Schema):
    """How much is unread."""

    unread = fields.Whole(required=True)
    call_tasks = fields.Whole(required=True)


class ReadSchema(Schema):
    """How many items that changed, and what is left."""

    read = fields.Whole(required=True)
    unread = fields.Whole(required=True)


@blueprint.get("/inbox")
@requires()
@blueprint.arguments(InboxArgs, location="query")
@blueprint.response(200, Page.schema(ItemSchema))
def inbox(query: dict[str, Any]) -> Response:
    """The caller's items, newest first"""
    at = glance()
    found = select(InboxItem).where(own(at.session, at.principal))
    if query["unread"] is not None:
        found = found.where(InboxItem.read_at.is_(None) if query["unread"] else InboxItem.read_at.is_not(None))
    if query["kind"]:
        found = found.where(InboxItem.kind == query["kind"])
    return answer(Page.of(at.session, found, [InboxItem.id.desc()], query["limit"], query["cursor"], _shown))


@blueprint.get("/inbox/count")
@requires()
@blueprint.response(200, CountSchema)
def count() -> Response:
    """How many of the caller's items are unread"""
    at = glance()
    unread, tasks = at.session.execute(_counted(at.session, at.principal)).one()
    return answer({"unread": unread, "call_tasks": tasks})


@blueprint.post("/inbox/read")
@requires(audit=False)
@blueprint.arguments(ReadingSchema)
@blueprint.response(200, ReadSchema)
def read(body: dict[str, Any]) -> Response:
    """Mark items as read; those of others are left alone, and not told of"""
    at = work()
    done = at.session.execute(
        update(InboxItem)
        .where(own(at.session, at.principal), InboxItem.id.in_(body["ids"]), InboxItem.read_at.is_(None))
        .values(read_at=at.clock.now())
        .execution_options(synchronize_session=False)
    )
    unread, _ = at.session.execute(_counted(at.session, at.principal)).one()
    return answer({"read": done.rowcount, "unread": unread})  # type: ignore[attr-defined]


def own(session: Session, principal: Principal) -> ColumnElement[bool]:
    """The caller's own items, less what was hidden from them since (decision 13)."""
    name = principal.username if principal.kind == "staff" else ""  # a system or a key has no inbox, whatever its name
    return and_(InboxItem.username == name, viewer(session, principal).sees(InboxItem))


def _counted(session: Session, principal: Principal) -> Select[int, int]:
    unread = and_(own(session, principal), InboxItem.read_at.is_(None))
    tasks = func.count().filter(InboxItem.kind == "call_task")
    return select(func.count(), tasks).select_from(InboxItem).where(unread)


def _shown(item: InboxItem) -> dict[str, Any]:
    names = ("id", "message_id", "kind", "template", "subject", "body", "link", "created_at", "read_at")
    return {**{name: getattr(item, name) for name in names}, "class": item.class_}
