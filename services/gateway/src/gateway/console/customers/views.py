"""Customers: found as one types, registered in place, corrected in a drawer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from gateway.console.area import Area, Section
from gateway.console.backend import Refused
from gateway.console.customers import overview
from gateway.console.web import backend, by_htmx, done, fragment, key, me, page, with_query
from gateway.console.words import N_, gettext

blueprint = Blueprint("customers", __name__, url_prefix="/console/customers")
LINES = 50
# Whom the buttons to register and correct are shown to; the customer service decides, not this.
WRITERS = frozenset(
    {"front_desk", "account_manager", "handler", "service_manager", "store_manager", "director", "marketing"}
)
LIST = "console/customers/list.html"
KINDS = (("individual", N_("Individual")), ("enterprise", N_("Enterprise")), ("institution", N_("Institution")))
FILTERS = ("kind", "status", "grade", "unit", "owner", "standing", "tag", "stale", "class")
WORDS = (
    N_("Diamond"), N_("Platinum"), N_("Gold"), N_("Silver"), N_("Ordinary"), N_("Basic"),
    N_("Open"), N_("Restricted"), N_("Blocked"), N_("Active"), N_("Inactive"),
    N_("Development"), N_("Maintenance"), N_("Service"),
    N_("Important"), N_("Potential"),
    N_("Frequency"), N_("Amount"), N_("Nature"), N_("High"), N_("Mid"), N_("Low"), N_("Large"),
    N_("Medium"), N_("Small"),
    N_("Member"), N_("Page"), N_("Blacklisted"), N_("Evaluation due"), N_("Recency"),
    N_("Purchase"), N_("Compensation"), N_("Refund"), N_("Redemption"), N_("Adjustment"), N_("Expiry"), N_("Release"),
    N_("Merge"), N_("Reversal"), N_("Base"), N_("Birthday month"), N_("Cap"), N_("Campaign"),
    N_("Sms"), N_("Email"), N_("Webhook"), N_("File"), N_("Call task"), N_("Online"), N_("Store"),
    N_("Queued"), N_("Held"), N_("Sending"), N_("Sent"), N_("Delivered"), N_("Temporary failure"),
    N_("Permanent failure"), N_("Expired"), N_("Suppressed"), N_("Cancelled"),
    N_("Complaint received"), N_("Complaint follow link"), N_("Complaint reopened"), N_("Complaint breached"),
    N_("Complaint assigned"), N_("Complaint due soon"), N_("Complaint received handler"),
    N_("Complaint reopened handler"), N_("Complaint answer link"), N_("Complaint progressed"),
    N_("Complaint closed"), N_("Complaint resolved"), N_("Tier changed"), N_("Tier at risk"), N_("Points expiring"),
    N_("Visit planned"), N_("Taste"), N_("Birthday"), N_("Festivals"),
    N_("Complaint escalated"), N_("Complaint compensated"), N_("Archive"),
    N_("Entries"),
)  # fmt: skip


def saved_views() -> list[tuple[str, Mapping[str, str]]]:
    """The filters that people come back to, as links."""
    return [
        (N_("All"), {}),
        (N_("Mine"), {"owner": me().username}),
        (N_("Diamond"), {"grade": "diamond"}),
        (N_("Platinum"), {"grade": "platinum"}),
        (N_("Companies"), {"kind": "enterprise"}),
        (N_("Trade restricted"), {"standing": "restricted"}),
        (N_("Blocked"), {"standing": "blocked"}),
        (N_("To be confirmed"), {"stale": "true"}),
    ]


@blueprint.get("/")
def listing() -> Response:
    """Find customers: by name, pinyin, phone, code or card."""
    q = request.args.get("q", "").strip()[:100]
    filters = {name: request.args[name] for name in FILTERS if request.args.get(name)}
    cursor = request.args.get("cursor", "")
    found = backend().fan_out({"found": ("customers", {**filters, "q": q, "cursor": cursor, "limit": LINES})})["found"]
    facts: dict[str, Any] = {
        "q_customers": q,
        "filters": filters,
        "cursor": cursor,
        "found": found,
        "views": saved_views(),
    }
    if by_htmx():
        part = fragment(LIST, "rows", **facts)
        part.headers["HX-Replace-Url"] = with_query()
        return part
    return page(LIST, **facts)


@blueprint.get("/new")
def new() -> Response:
    """The form to register somebody."""
    return _form("console/customers/new.html", {"kind": "individual", "name": request.args.get("name", "")})


@blueprint.post("/new")
def register() -> Response:
    """Register a customer; somebody very like them is shown first."""
    given = request.form.to_dict()
    body: dict[str, Any] = {"kind": given.get("kind", ""), "name": given.get("name", "").strip()}
    if number := given.get("phone", "").strip():
        body["phones"] = [{"number": number}]
    if address := given.get("email", "").strip():
        body["emails"] = [{"address": address}]
    if card := given.get("card", "").strip():
        body["identities"] = [{"scheme": "card", "value": card}]
    if given.get("birthday"):
        body["birthday"] = given["birthday"]
    if given.get("force"):
        body["force"] = True
    try:
        made = backend().post("customers", body, key=key())
    except Refused as refused:
        if refused.status not in (409, 422):
            raise
        return _form("console/customers/new.html", given, refused)
    return done(f"/console/customers/{made['id']}", gettext("%(name)s is registered.", name=made["name"]))


@blueprint.get("/<uuid:id>")
def one(id: Any) -> Response:
    """One customer from all sides."""
    return overview.show(str(id))


@blueprint.get("/<uuid:id>/archive")
def archive(id: Any) -> Response:
    """The next part of the time line."""
    return overview.more_of_the_archive(str(id))


@blueprint.get("/<uuid:id>/edit")
def edit(id: Any) -> Response:
    """The form to correct what is known."""
    read = backend().ask("GET", f"customers/{id}")
    shown = {
        "name": read.value["name"],
        "phones": "\n".join(phone["number"] for phone in read.value["phones"]),
        "emails": "\n".join(email["address"] for email in read.value["emails"]),
        "birthday": read.value["birthday"] or "",
        "tags": ", ".join(read.value["tags"]),
        "etag": read.etag,
    }
    return _form("console/customers/edit.html", shown, customer=read.value)


@blueprint.post("/<uuid:id>/edit")
def correct(id: Any) -> Response:
    """Change what the form names; labels of numbers that stay are kept."""
    given = request.form.to_dict()
    known = backend().get(f"customers/{id}")
    body: dict[str, Any] = {
        "name": given.get("name", "").strip(),
        "phones": _kept(known["phones"], "number", given.get("phones", "").splitlines()),
        "emails": _kept(known["emails"], "address", given.get("emails", "").splitlines()),
        "birthday": given.get("birthday") or None,
        "tags": [tag.strip() for tag in given.get("tags", "").replace("，", ",").split(",") if tag.strip()],
    }
    if given.get("reason", "").strip():
        body["provenance"] = {"reason": given["reason"].strip()}
    try:
        backend().patch(f"customers/{id}", body, etag=given.get("etag", ""))
    except Refused as refused:
        if refused.status not in (409, 412, 422):
            raise
        return _form("console/customers/edit.html", given, refused, customer=known)
    return done(f"/console/customers/{id}", gettext("Saved."))


def _kept(known: list[dict[str, Any]], member: str, lines: list[str]) -> list[dict[str, Any]]:
    by_value = {entry[member]: entry for entry in known}
    return [by_value.get(line.strip(), {member: line.strip()}) for line in lines if line.strip()]


def _form(template: str, given: Mapping[str, Any], refused: Refused | None = None, **facts: Any) -> Response:
    """The form, empty or with what is wrong in it; in the drawer, or as a page where there is no script."""
    facts |= {
        "given": given,
        "refused": refused,
        "errors": _by_field(refused),
        "kinds": KINDS,
        "heading": "h2" if by_htmx() else "h1",
    }
    status = 422 if refused and not by_htmx() else 200
    return fragment(template, "form", status, **facts) if by_htmx() else page(template, status, **facts)


def _by_field(refused: Refused | None) -> dict[str, list[str]]:
    """The service's errors (``phones.0.number``) at the form's fields (``phone``, ``phones``)."""
    found: dict[str, list[str]] = {}
    for path, messages in (refused.errors if refused else {}).items():
        first = path.split(".")[0]
        for field in (first, {"phones": "phone", "emails": "email", "identities": "card"}.get(first)):
            if field:
                found.setdefault(field, []).extend(messages)
    return found


def may_write() -> bool:
    """Whether this reader's roles register and correct customers."""
    return me().holds(WRITERS)


@blueprint.context_processor
def _rights() -> dict[str, Any]:
    return {"may_write": may_write()}


AREA = Area(blueprint, (Section("customers", N_("Customers"), "users", "/console/customers/"),))
