"""The rewards desk on a member's page: set points aside, take them or give them back, without leaving it.

Found by card in the search box, points typed, taken: three steps at the till.
"""

from __future__ import annotations

from typing import Any
from uuid import UUID

from flask import Response, request

from gateway.console.backend import Refused
from gateway.console.members.pages import ONE, blueprint, open_holds
from gateway.console.rewards.typed import whole
from gateway.console.web import backend, by_htmx, done, form, fragment, key
from gateway.console.words import N_, gettext, number

RESOLVE = {"capture": N_("%(n)s points taken"), "release": N_("%(n)s points given back")}


@blueprint.post("/<uuid:id>/holds")
def set_aside(id: UUID) -> Response:
    """Set points aside for a redemption."""
    typed = form()
    asked: dict[str, Any] = {"customer_id": str(id), **typed, "points": whole(typed.get("points"))}
    try:
        hold = backend().post("holds", asked, key=key())
    except Refused as refused:
        return _again(id, typed, refused)
    return done(_page(id), gettext("%(n)s points set aside", n=number(hold["points"])))


@blueprint.post("/<uuid:id>/holds/<uuid:hold>/capture", defaults={"how": "capture"})
@blueprint.post("/<uuid:id>/holds/<uuid:hold>/release", defaults={"how": "release"})
def resolve(id: UUID, hold: UUID, how: str) -> Response:
    """Take what is set aside, all or part, or give it back."""
    part = request.form.get("points", "").strip()
    body = {"points": whole(part)} if part and how == "capture" else {}
    try:
        ended = backend().post(f"holds/{hold}/{how}", body, key=key())
    except Refused as refused:
        return _again(id, {}, refused)
    moved = ended["captured"] if how == "capture" else ended["points"]
    return done(_page(id), gettext(RESOLVE[how], n=number(moved)))


def _again(id: UUID, typed: dict[str, Any], refused: Refused) -> Response:
    """The desk as it was filled in, with what the service said."""
    if refused.status not in (404, 409, 422) or not by_htmx():
        raise refused
    parts = backend().fan_out({"member": f"members/{id}", "holds": open_holds(id)})
    return fragment(
        ONE, "desk", refused.status, id=id, member=parts["member"].value, holds=parts["holds"], typed=typed,
        refused=refused,
    )  # fmt: skip


def _page(id: UUID) -> str:
    return f"/console/members/{id}"
