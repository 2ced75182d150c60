"""What members gave their points for; given back in a drawer, with a reason."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request

from gateway.console.backend import Refused
from gateway.console.members.names import with_customers
from gateway.console.rewards.catalogue import LINES, ROOT, blueprint
from gateway.console.rewards.rights import CANCELLING
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import N_, gettext, number

LIST, CANCEL = "console/rewards/redemptions.html", "console/rewards/cancel.html"
STATES = (("", N_("All of them")), ("redeemed", N_("Exchanged")), ("cancelled", N_("Cancelled")))


@blueprint.get("/redemptions")
def redemptions() -> Response:
    """All of the reader's units, newest first; of one reward or in one state."""
    status, reward = request.args.get("status", ""), request.args.get("reward", "")
    cursor = request.args.get("cursor", "")
    wanted = {"status": status if status in dict(STATES) else "", "reward": reward, "cursor": cursor, "limit": LINES}
    found = backend().fan_out({"found": ("redemptions", wanted)})["found"]
    return page(
        LIST, found=found, rows=with_customers(found.entries), state=status, states=STATES, reward=reward,
        cursor=cursor, cancels=me().holds(CANCELLING),
    )  # fmt: skip


@blueprint.get("/redemptions/<uuid:id>/cancel")
def ask_cancel(id: Any) -> Response:
    """What comes back, and the question why."""
    return _cancel_form(id, {})


@blueprint.post("/redemptions/<uuid:id>/cancel")
def cancel(id: Any) -> Response:
    """Give the points back to the lots they came from."""
    given = form()
    try:
        undone = backend().post(f"redemptions/{id}/cancel", given, key=key())
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return _cancel_form(id, given, refused)
    said = gettext("Cancelled: %(n)s points are back.", n=number(undone["points"]))
    return done(request.form.get("next") or ROOT + "redemptions", said)


def _cancel_form(id: Any, given: dict[str, Any], refused: Refused | None = None) -> Response:
    if not me().holds(CANCELLING):
        abort(403)
    facts: dict[str, Any] = {
        "one": backend().get(f"redemptions/{id}"), "given": given, "refused": refused,
        "errors": dict(refused.errors) if refused else {}, "back": request.values.get("next", ""),
    }  # fmt: skip
    status = 422 if refused and not by_htmx() else 200
    return fragment(CANCEL, "form", status, **facts) if by_htmx() else page(CANCEL, status, **facts)
