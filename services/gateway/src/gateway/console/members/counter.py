"""At the counter, on the member's own page: a reward for points, a right of the tier, points changed by hand.

Found by card in the search box, reward chosen, confirmed: nobody leaves the page.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Response, abort, request

from gateway.console.backend import Refused
from gateway.console.members.exchange import ON_OFFER, offers
from gateway.console.members.pages import ADJUST, REDEEM, blueprint
from gateway.console.rewards.rights import ADJUSTING
from gateway.console.rewards.typed import whole
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import gettext, number, term

_FIELDS = {"points": "change"}  # the desk on the same page has a field of that name


@blueprint.post("/<uuid:id>/redemptions")
def redeem(id: UUID) -> Response:
    """Exchange points for the chosen reward; its vouchers are shown on the page that comes."""
    typed = form()
    asked: dict[str, Any] = {"customer_id": str(id), **typed, "quantity": whole(typed.get("quantity") or "1")}
    try:
        redeemed = backend().post("redemptions", asked, key=key())
    except Refused as refused:
        if refused.status not in (404, 409, 422) or not by_htmx():
            raise
        parts = backend().fan_out({"member": f"members/{id}", "rewards": ON_OFFER})
        member = parts["member"].value
        return fragment(
            REDEEM, "redeem", refused.status, id=id, member=member, rewards=parts["rewards"], typed=typed,
            refused=refused, offers=offers(parts["rewards"], member),
        )  # fmt: skip
    said = gettext("%(name)s for %(n)s points", name=redeemed["name"], n=number(redeemed["points"]))
    return done(f"{_page(id)}?redeemed={redeemed['id']}", said)


@blueprint.post("/<uuid:id>/benefits")
def use_right(id: UUID) -> Response:
    """Use a right of the member's tier once."""
    used = backend().post(f"members/{id}/benefits", form(), key=key())
    return done(_page(id), gettext("Used: %(right)s", right=term(used["benefit"]["right"])))


@blueprint.get("/<uuid:id>/adjust")
def ask_adjust(id: UUID) -> Response:
    """The form to change points by hand."""
    return _adjust_form(id, {})


@blueprint.post("/<uuid:id>/adjust")
def adjust(id: UUID) -> Response:
    """Change points: at once within the reader's limit, else by proposal."""
    typed = form()
    points = whole(typed.get("change"))
    if isinstance(points, int) and request.form.get("direction") == "take":
        points = -abs(points)
    body = {"customer_id": str(id), "points": points, "reason_code": typed.get("reason_code", ""),
            "note": typed.get("note", "")}  # fmt: skip
    try:
        made = backend().post("adjustments", body, key=key())
    except Refused as refused:
        if refused.status not in (403, 409, 422):
            raise
        return _adjust_form(id, typed, refused)
    told = {
        "booked": gettext("%(n)s points booked.", n=f"{made['points']:+,}"),
        "proposed": gettext("Proposed: a second person decides on it."),
    }
    return done(_page(id), told.get(made["status"], ""))


def _adjust_form(id: UUID, typed: Mapping[str, Any], refused: Refused | None = None) -> Response:
    if not me().holds(ADJUSTING):
        abort(403)
    parts = backend().fan_out({"choices": "adjustments/choices", "member": f"members/{id}"})
    facts: dict[str, Any] = {
        "id": id, "typed": typed, "choices": parts["choices"], "member": parts["member"], "refused": refused,
        "errors": {_FIELDS.get(name, name): said for name, said in refused.errors.items()} if refused else {},
    }  # fmt: skip
    status = 422 if refused and not by_htmx() else 200
    return fragment(ADJUST, "form", status, **facts) if by_htmx() else page(ADJUST, status, **facts)


def _page(id: UUID) -> str:
    return f"/console/members/{id}"
