"""The portal's pages: the same desk as the JSON API, for a telephone in somebody's hand. No account, no session.

Everything but the proof of work goes without JavaScript. A personal link is the page's own address; reading it changes
nothing, answering is a POST.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, abort, current_app, g, redirect, request
from marshmallow import ValidationError

from chassis.errors import Conflict, Invalid, NotFound, Unavailable
from chassis.web.arguments import by_path
from chassis.web.fields import plain
from chassis.web.problems import TooMany
from gateway.console import words
from gateway.console.area import Area
from gateway.console.web import page, public
from gateway.console.words import N_, gettext
from gateway.portal.errands import ANSWERING, READING, SUBMITTING, PortalDesk
from gateway.portal.schemas import PortalAnswerSchema, PortalComplaintSchema

blueprint = Blueprint("portal", __name__, url_prefix="/portal")
AREA = Area(blueprint)

TYPES = (
    ("complaint", N_("Complaint")),
    ("inquiry", N_("Question")),
    ("suggestion", N_("Suggestion")),
    ("praise", N_("Praise")),
)
SCALE = (
    (1, N_("Very satisfied")),
    (2, N_("Satisfied")),
    (3, N_("I can understand it")),
    (4, N_("Dissatisfied")),
    (5, N_("Very dissatisfied")),
)
STAGES = (N_("Received"), N_("In hand"), N_("Solution"), N_("Your answer"), N_("Closed"))
# status → (how far along the stages, what it means for whoever complained)
STATUS: Mapping[str, tuple[int, str]] = {
    "received": (0, N_("We have your message. Somebody will get in touch with you.")),
    "acknowledged": (1, N_("Somebody has taken your matter in hand.")),
    "triaged": (1, N_("We know what it is about and who can solve it.")),
    "investigating": (1, N_("We are finding out what went wrong.")),
    "proposed": (1, N_("We have found a solution and are checking it.")),
    "approved": (1, N_("The solution is settled; we are carrying it out.")),
    "unfounded": (1, N_("We have looked into it and will explain our view to you.")),
    "waiting_for_customer": (1, N_("We are waiting for something from you.")),
    "resolved": (2, N_("From our side it is solved. Now your view counts.")),
    "calling_back": (3, N_("From our side it is solved. Now your view counts.")),
    "closed": (4, N_("The matter is closed. Thank you for telling us.")),
    "withdrawn": (4, N_("You have withdrawn the matter.")),
}
STEPS: Mapping[str, str] = {
    "first_contact": N_("We contact you"),
    "answer": N_("You have a first answer"),
    "progress": N_("We tell you how it goes"),
    "resolution": N_("A solution"),
    "promise": N_("What we promised you"),
    "callback": N_("We ask whether it is solved"),
    "approval": N_("The solution is decided"),
}
KINDS: Mapping[str, str] = {
    "received": N_("We received your message."),
    "acknowledged": N_("Somebody took it in hand."),
    "contacted": N_("We contacted you."),
    "progress": N_("We told you how it goes."),
    "investigating": N_("We looked into what went wrong."),
    "promised": N_("We promised you a date."),
    "waiting_for_customer": N_("We asked you for something."),
    "resumed": N_("We went on."),
    "resolved": N_("We answered you."),
    "reopened": N_("You were not satisfied: somebody else took it up."),
    "withdrawn": N_("You withdrew the matter."),
    "closed": N_("The matter was closed."),
}
TOO_MANY = N_("Many messages were sent from here in a short time. Nothing is lost: please send again in an hour.")
MESSAGES: Mapping[str, str] = {
    "subject": N_("Say in a few words what it is about."),
    "description": N_("Tell us what happened."),
    "complainant.phone": N_("This does not look like a telephone number."),
    "complainant.email": N_("This does not look like an e-mail address."),
    "complainant.name": N_("The name is too long."),
    "complainant": N_("Leave your name, and a telephone number or an e-mail address."),
    "value.amount": N_("Write an amount such as 256.00."),
    "website": N_("Your browser filled in a hidden field. It is empty now: please send once more."),
    "solution": N_("Too much time has passed. Nothing is lost: please send once more."),
}


@blueprint.get("/")
@public
def start() -> Response:
    """What one can do here."""
    return page("portal/start.html")


@blueprint.get("")
@public
def bare() -> Any:
    """Without the slash it is the same place."""
    return redirect("/portal/", 308)


@blueprint.get("/language/<code>")
@public
def choose_language(code: str) -> Any:
    """Read on in another language, on the page one came from."""
    if code not in words.LANGUAGES:
        abort(404)
    back = request.args.get("back", "")
    response = redirect(back if back.startswith("/portal/") and "\\" not in back else "/portal/", 303)
    response.set_cookie(words.COOKIE, code, max_age=31_536_000, samesite="Lax", secure=request.is_secure)
    return response


@blueprint.get("/complaints/new")
@public
def empty_form() -> Response:
    """The form."""
    return _form({}, {})


@blueprint.post("/complaints/new")
@public
def send_form() -> Any:
    """Hand it in; then the personal page. What was typed is never lost to a refusal."""
    typed = {name: value.strip() for name, value in request.form.items()}
    try:
        _spend(SUBMITTING, "portal.submit")
        complaint = _complaint(typed)
        challenge, solution = complaint.pop("challenge"), complaint.pop("solution")
        taken = _desk().submit(complaint, challenge, solution, g.request_id)
    except Invalid as wrong:
        return _form(typed, _told(wrong.errors), 422)
    except ValidationError as wrong:
        return _form(typed, _told(by_path(wrong.messages)), 422)
    except (TooMany, Unavailable, Conflict) as wrong:
        told = gettext(TOO_MANY if isinstance(wrong, TooMany) else wrong.detail)
        return _form(typed, {"": told}, wrong.status)
    if taken.link is None:
        return page("portal/taken.html", number=taken.number)
    return redirect(f"{taken.link}?new=1", 303)


@blueprint.get("/complaints/<token>")
@public
def follow(token: str) -> Response:
    """How it goes."""
    _spend(READING, "portal.follow")
    case = _opened(token)
    stage, meaning = STATUS.get(case["status"], (1, case["status"]))
    return page("portal/follow.html", case=case, stage=stage, meaning=meaning, stages=STAGES, steps=STEPS,
                kinds=KINDS, token=token, now=g.now.isoformat(), fresh="new" in request.args)  # fmt: skip


@blueprint.get("/answers/<token>")
@public
def question(token: str) -> Any:
    """Was it solved? Looking answers nothing."""
    _spend(READING, "portal.follow")
    return _question(token)


@blueprint.post("/answers/<token>")
@public
def answer(token: str) -> Any:
    """Take the answer, once."""
    _spend(ANSWERING, "portal.answer")
    typed = {"satisfaction": request.form.get("satisfaction", type=int), "comment": request.form.get("comment", "")}
    try:
        given = PortalAnswerSchema().load({name: value for name, value in typed.items() if value})
    except ValidationError:
        return _question(token, gettext("Please choose one of the five answers."), 422)
    became = _desk().answer(token, given["satisfaction"], given.get("comment"), g.request_id)
    return redirect("/portal/thanks" + ("" if became["status"] == "closed" else "?again=1"), 303)


@blueprint.get("/thanks")
@public
def thanks() -> Response:
    """The answer was noted."""
    return page("portal/thanks.html", again="again" in request.args)


@blueprint.get("/<path:anywhere>")
@public
def nowhere(anywhere: str) -> Response:
    """A page that doesn't exist."""
    raise NotFound(N_("There is no such page here."))


def _form(typed: Mapping[str, str], wrong: Mapping[str, str], status: int = 200) -> Response:
    made = _desk().challenge()
    return page("portal/form.html", status, typed=typed, wrong=wrong, types=TYPES, challenge=made.text, bits=made.bits)


def _question(token: str, wrong: str = "", status: int = 200) -> Any:
    case = _opened(token)
    if not case["may_answer"]:  # a link to follow the case by: it shows, and can't answer
        return redirect(f"/portal/complaints/{token}", 303)
    return page("portal/answer.html", status, case=case, scale=SCALE, token=token, wrong=wrong)


def _complaint(typed: Mapping[str, str]) -> dict[str, Any]:
    """The form's flat fields as the API has them. Raises ValidationError, Invalid."""

    def some(*names: str, prefix: str = "") -> dict[str, Any]:
        return {name: typed[prefix + name] for name in names if typed.get(prefix + name)}

    body: dict[str, Any] = some("type", "subject", "description", "wanted", "challenge", "solution")
    body["locale"] = words.language()
    if complainant := some("name", "phone", "email"):
        body["complainant"] = complainant
    if details := some(
        "product",
        "order",
        "batch",
        "place",
    ):
        body["details"] = details
    if typed.get("amount"):
        body["value"] = {"amount": typed["amount"].replace(",", ""), "currency": g.company_currency}
    if typed.get("website"):
        raise Invalid("", {"website": [""]})
    if "solution" not in body:
        raise Invalid("", {"solution": [""]})
    loaded: dict[str, Any] = PortalComplaintSchema().load(body)
    loaded.pop("website")
    if "value" in loaded:
        loaded["value"]["amount"] = plain(loaded["value"]["amount"])
    return loaded


def _told(errors: Mapping[str, Any]) -> dict[str, str]:
    """Errors by the form's own field names, in the reader's words."""
    return {
        path.rpartition(".")[2]: gettext(MESSAGES[path]) if path in MESSAGES else " ".join(map(str, found))
        for path, found in errors.items()
    }


def _opened(token: str) -> dict[str, Any]:
    return _desk().follow(token, g.request_id)


def _desk() -> PortalDesk:
    desk: PortalDesk = current_app.api.extensions["kezhi_portal"]  # type: ignore[attr-defined]
    return desk


def _spend(limit: str, purpose: str) -> None:
    limits = current_app.api.limits  # type: ignore[attr-defined]
    if limits is not None:
        limits.spend(limit, purpose)
