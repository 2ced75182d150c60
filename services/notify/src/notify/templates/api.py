"""``templates``: what is said, in whose words, and how it would look."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from flask import Response

from chassis.errors import Invalid
from chassis.web import Blueprint, Page, answer, glance, requires, work
from notify.templates import queries
from notify.templates.checking import check
from notify.templates.domain import Surroundings, Texts
from notify.templates.filling import fill
from notify.templates.schemas import (
    PreviewingSchema,
    PreviewSchema,
    SavingSchema,
    TemplatesArgs,
    TemplateSchema,
    VersionArgs,
)
from notify.templates.use_cases import NoTemplate, Saving, save, text_for, vocabulary_of

blueprint = Blueprint("templates", __name__, description="The texts of all messages, by key, channel and language")


@blueprint.get("/templates")
@requires("templates:read")
@blueprint.arguments(TemplatesArgs, location="query")
@blueprint.response(200, Page.schema(TemplateSchema))
def templates(query: dict[str, Any]) -> Response:
    """The texts in use: the newest saved version, else the one that came with the release"""
    return answer(queries.page(glance().session, **query))


@blueprint.post("/templates")
@requires("templates:write")
@blueprint.arguments(SavingSchema)
@blueprint.response(201, TemplateSchema)
def save_template(body: dict[str, Any]) -> Response:
    """Save a new version of a text; 422 with the line where it names what its event does not have"""
    at = work()
    texts = Texts(body.pop("text"), body.pop("subject"), body.pop("html"))
    row = save(at.context, Saving(texts=texts, **body), at.principal.username)
    at.note(f"{row.key} {row.channel} {row.locale}", version=row.version)
    place = (row.key, row.channel, row.locale)
    where = {"Location": f"/api/v1/templates/{'/'.join(place)}"}
    return answer(queries.shown(at.session, place, row), 201, where)


@blueprint.post("/templates/preview")
@requires("templates:read", audit=False)
@blueprint.arguments(PreviewingSchema)
@blueprint.response(200, PreviewSchema)
def preview(body: dict[str, Any]) -> Response:
    """Fill a text in with its event's example: the one in use, or one that is not saved yet"""
    at = glance()
    key, channel = body["key"], body["channel"]
    words = vocabulary_of(at.session, key)
    found = text_for(at.session, key, channel, body["locale"])
    if words is None or (found is None and body["text"] is None):
        raise NoTemplate(f"there is no template {key} for {channel}")
    version: int | None
    locale, version, texts = (found.locale, found.version, found.texts) if found else ("en", None, None)
    if body["text"] is not None:
        locale, texts = body["locale"] or locale, Texts(body["text"], body["subject"], body["html"])
        version = None
        if wrong := check(texts, channel, words):
            raise Invalid("The text does not fit its key", wrong)
    assert texts is not None  # noqa: S101 - one of the two was there
    around = Surroundings(zone=at.policies.in_force().company.time_zone)
    rendered = fill(texts, key, channel, locale, version or 0, words, words.example, around, body["recipient"])
    return answer({**asdict(rendered), "version": version})


@blueprint.get("/templates/<key>/<channel>/<locale>")
@requires("templates:read")
@blueprint.arguments(VersionArgs, location="query")
@blueprint.response(200, TemplateSchema)
def template(query: dict[str, Any], key: str, channel: str, locale: str) -> Response:
    """One text, in use or in an earlier version; version 0 is the one that came with the release"""
    return answer(queries.one(glance().session, (key, channel, locale), query["version"]))
