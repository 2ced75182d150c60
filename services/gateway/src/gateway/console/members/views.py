"""Members: found by name or tier; one member's ledger, where every line says why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request

from gateway.console.area import Area, Section
from gateway.console.backend import Part, Question
from gateway.console.web import backend, by_htmx, fragment, page, with_query
from gateway.console.words import N_, gettext

blueprint = Blueprint("members", __name__, url_prefix="/console/members")
LIST, ONE = "console/members/list.html", "console/members/one.html"
LINES = 50
FOUND = 8  # customers looked up by name: each is one more question to the loyalty service
ENTRIES = 30
LOTS = 100

# What the ledger and the tiers say, as people say it (``term``).
WORDS = (
    N_("Purchase"), N_("Refund"), N_("Release"), N_("Expiry"), N_("Unblock"), N_("Hold"), N_("Capture"),
    N_("Hold release"), N_("Compensation"), N_("Birthday"), N_("Base"), N_("Available"), N_("Pending"), N_("Held"),
    N_("Blocked"), N_("Merged"), N_("Erased"), N_("Rise"), N_("Fall"), N_("Revoked"), N_("Issued"), N_("Redeemed"),
    N_("Expired"), N_("Reversed"), N_("Deficit"), N_("Points"), N_("Growth"), N_("Hold time out"),
    N_("Cap per purchase"), N_("Cap per day and month"),
    N_("Tier bonus gold"), N_("Tier bonus platinum"), N_("Tier bonus diamond"),
    N_("Tier bonus ordinary"), N_("Refunded"), N_("Granted"), N_("Lapsed"), N_("Captured"), N_("Spent"),
)  # fmt: skip


_SUMS = (
    (re.compile(r"of (?P<n>[0-9.]+ [A-Z]{3})"), N_("of %(n)s as it was bought")),
    (re.compile(r"(?P<p>[0-9.]+ %) of (?P<n>[0-9]+)"), N_("%(p)s of %(n)s")),
    (re.compile(r"base x (?P<n>[0-9.]+)"), N_("base times %(n)s")),
    (re.compile(r"at most (?P<n>[0-9]+)"), N_("at most %(n)s")),
    (re.compile(r"(?P<n>[0-9.]+) earns nothing"), N_("%(n)s earns nothing")),
)


@blueprint.get("/")
def listing() -> Response:
    """Members: by tier, or by whatever finds the customer."""
    q, tier = request.args.get("q", "").strip()[:100], request.args.get("tier", "")
    cursor = request.args.get("cursor", "")
    found, rows, next_ = _by_name(q) if q else _by_tier(tier, cursor)
    facts: dict[str, Any] = {
        "q_members": q,
        "tier": tier,
        "cursor": cursor,
        "found": found,
        "rows": rows,
        "next": next_,
    }
    if by_htmx():
        part = fragment(LIST, "table", **facts)
        part.headers["HX-Replace-Url"] = with_query()
        return part
    tiers = backend().fan_out({"tiers": "tiers"})["tiers"]
    return page(LIST, tiers=tiers.entries, **facts)


@blueprint.get("/<uuid:id>")
def one(id: Any) -> Response:
    """One member: balances, the statement with its reasons, lots, the way to the next tier."""
    cursor = request.args.get("cursor", "")
    entries: Question = (f"members/{id}/entries", {"limit": ENTRIES, "cursor": cursor})
    if by_htmx():
        return fragment(ONE, "more", id=id, entries=backend().fan_out({"entries": entries})["entries"])
    parts = backend().fan_out(
        {
            "member": f"members/{id}",
            "progress": f"members/{id}/progress",
            "entries": entries,
            "lots": (f"members/{id}/lots", {"limit": LOTS}),
            "history": (f"members/{id}/tiers", {"limit": 10}),
            "customer": f"customers/{id}",
        }
    )
    member = parts["member"]
    if member.refused is not None:
        raise member.refused  # whether there is such a member for this reader is the loyalty service's word
    return page(
        ONE,
        id=id,
        parts=parts,
        member=member.value,
        customer=parts["customer"].value,
        progress=parts["progress"].value,
        share=_share(parts["progress"].value),
        entries=parts["entries"],
        lots=[lot for lot in parts["lots"].entries if lot["remaining"]],
        cursor=cursor,
    )


def how(detail: str | None) -> str:
    """The sum of a step, as the loyalty service wrote it, in the reader's language; as it came where it is new."""
    for pattern, message in _SUMS:
        if found := pattern.fullmatch(detail or ""):
            return gettext(message, **found.groupdict())
    return detail or "–"


def _by_tier(tier: str, cursor: str) -> tuple[Part, list[Mapping[str, Any]], str | None]:
    found = backend().fan_out({"found": ("members", {"tier": tier, "cursor": cursor, "limit": LINES})})["found"]
    ids = [row["customer_id"] for row in found.entries]
    names: dict[str, Any] = {}
    if ids:
        asked = ("customers", {"ids": ",".join(ids), "limit": LINES})
        customers = backend().fan_out({"customers": asked})["customers"]
        names = {one["id"]: one for one in customers.entries}
    return found, [{**row, "customer": names.get(row["customer_id"])} for row in found.entries], found.get("next")


def _by_name(q: str) -> tuple[Part, list[Mapping[str, Any]], str | None]:
    found = backend().fan_out({"found": ("customers", {"q": q, "limit": FOUND})})["found"]
    customers = {one["id"]: one for one in found.entries}
    members = backend().fan_out({id: f"members/{id}" for id in customers}) if customers else {}
    silent = next((part for part in members.values() if part.missing), None)
    rows: list[Mapping[str, Any]] = [
        {**part.value, "customer": customers[id]} for id, part in members.items() if part.ok
    ]
    return silent or found, rows, None


def _share(progress: Mapping[str, Any] | None) -> int:
    """How far to the next tier, in whole percent of its threshold."""
    above = progress["next"] if progress else None
    return min(100, max(0, 100 * progress["growth"] // above["at"])) if progress and above else 100


AREA = Area(blueprint, (Section("members", N_("Members"), "medal", "/console/members/"),), {"how": how})
