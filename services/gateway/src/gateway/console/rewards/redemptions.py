"""What members gave their points for; given back in a drawer, with a reason."""

from __future__ import annotations

from typing import Any

from flask import Response, abort, request

from gateway.console.backend import Refused
from gateway.console.exporting import every, table_file
from gateway.console.house import person
from gateway.console.naming import with_customers
from gateway.console.rewards.catalogue import LINES, ROOT, blueprint
from gateway.console.rewards.rights import CANCELLING
from gateway.console.web import backend, by_htmx, done, form, fragment, key, me, page
from gateway.console.words import N_, exact, gettext, number, term

LIST, CANCEL = "console/rewards/redemptions.html", "console/rewards/cancel.html"
WORDS = (N_("Worth"), N_("Vouchers"))
STATES = (("", N_("All of them")), ("redeemed", N_("Exchanged")), ("cancelled", N_("Cancelled")))


@blueprint.get("/redemptions")
def redemptions() -> Response:
    """All of the reader's units, newest first; of one reward or in one state."""
    status, reward = request.args.get("status", ""), request.args.get("reward", "")
    cursor = request.args.get("cursor", "")
    wanted = {**_asked(), "cursor": cursor, "limit": LINES}
    found = backend().fan_out({"found": ("redemptions", wanted)})["found"]
    return page(
        LIST, found=found, rows=with_customers(found.entries), state=status, states=STATES, reward=reward,
        cursor=cursor, cancels=me().holds(CANCELLING),
    )  # fmt: skip


@blueprint.get("/redemptions.csv")
def redemptions_file() -> Response:
    """The same as a file, all of them."""
    told = ("When", "Customer id", "Member", "Reward", "Kind", "How many", "Points", "Worth", "Vouchers", "By", "State",
            "Reason")  # fmt: skip
    rows = [
        [exact(one["created_at"]), one["customer_id"], one["customer"]["name"] if one["customer"] else "", one["name"],
         term(one["kind"]), one["quantity"], one["points"], one["amount"],
         " ".join(voucher["code"] for voucher in one["vouchers"]), person(one["created_by"]), term(one["status"]),
         one["reason"]]
        for one in with_customers(every("redemptions", **_asked()))
    ]  # fmt: skip
    return table_file("redemptions", [gettext(name) for name in told], rows)


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


def _asked() -> dict[str, Any]:
    status = request.args.get("status", "")
    return {"status": status if status in dict(STATES) else "", "reward": request.args.get("reward", "")}


def _cancel_form(id: Any, given: dict[str, Any], refused: Refused | None = None) -> Response:
    if not me().holds(CANCELLING):
        abort(403)
    facts: dict[str, Any] = {
        "one": backend().get(f"redemptions/{id}"), "given": given, "refused": refused,
        "errors": dict(refused.errors) if refused else {}, "back": request.values.get("next", ""),
    }  # fmt: skip
    status = 422 if refused and not by_htmx() else 200
    return fragment(CANCEL, "form", status, **facts) if by_htmx() else page(CANCEL, status, **facts)
