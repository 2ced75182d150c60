"""``portal/*`` over HTTP: public, bounded per address, the same answer whether anything is known or not."""

from __future__ import annotations

from typing import Any, cast

from flask import current_app

from chassis.errors import Invalid
from chassis.web import Blueprint, answer, requires, work
from chassis.web.application import Application
from chassis.web.fields import plain
from gateway.portal import schemas
from gateway.portal.errands import ANSWERING, READING, SUBMITTING, PortalDesk

blueprint = Blueprint("portal_api", __name__, description="For the public: complaints without an account")


def desk() -> PortalDesk:
    """This process's desk."""
    return cast(PortalDesk, current_app.extensions["kezhi_portal"])


def spend(limit: str, purpose: str) -> None:
    """Count against the caller's address. Raises TooMany."""
    limits = cast(Application, current_app).limits
    if limits is not None:
        limits.spend(limit, purpose)


@blueprint.get("/portal/challenge")
@requires(public=True)
@blueprint.response(200, schemas.ChallengeSchema)
def challenge() -> Any:
    """A proof of work to be done before a complaint is sent."""
    spend(READING, "portal.challenge")
    made = desk().challenge()
    return {"challenge": made.text, "bits": made.bits, "expires_at": made.expires_at}


@blueprint.post("/portal/complaints")
@requires(public=True, secret=True, audit=False)  # the case keeps its own history; a personal link is nobody's to keep
@blueprint.arguments(schemas.PortalComplaintSchema)
@blueprint.response(201, schemas.TakenSchema)
def submit(body: dict[str, Any]) -> Any:
    """Hand in a complaint."""
    spend(SUBMITTING, "portal.submit")
    if body.pop("website"):
        raise Invalid("Some fields are not valid", {"website": ["leave this field empty"]})
    challenge, solution = body.pop("challenge"), body.pop("solution")
    if "value" in body:
        body["value"]["amount"] = plain(body["value"]["amount"])
    taken = desk().submit(body, challenge, solution, work().request_id)
    return {"number": taken.number, "link": taken.link}


@blueprint.get("/portal/complaints/<token>")
@requires(public=True)
@blueprint.response(200, schemas.FollowSchema)
@blueprint.alt_response(404)
def follow(token: str) -> Any:
    """How it goes, by personal link."""
    spend(READING, "portal.follow")
    return answer(_shown(desk().follow(token, work().request_id)))


@blueprint.get("/portal/answers/<token>")
@requires(public=True)
@blueprint.response(200, schemas.FollowSchema)
@blueprint.alt_response(404)
def question(token: str) -> Any:
    """What is asked, by personal link. Reading answers nothing: mail scanners read too."""
    return follow(token)


@blueprint.post("/portal/answers/<token>")
@requires(public=True, secret=True, audit=False)
@blueprint.arguments(schemas.PortalAnswerSchema)
@blueprint.response(200, schemas.AnsweredSchema)
@blueprint.alt_response(404)
def answer_callback(body: dict[str, Any], token: str) -> Any:
    """Say whether it was solved; once."""
    spend(ANSWERING, "portal.answer")
    became = desk().answer(token, body["satisfaction"], body.get("comment"), work().request_id)
    return {"status": became["status"], "round": became["round"]}


def _shown(case: dict[str, Any]) -> dict[str, Any]:
    return {name: case.get(name) for name in schemas.FollowSchema().fields}
