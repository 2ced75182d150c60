"""Members: found by name or tier; one member's ledger, where every line says why."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from flask import Blueprint, Response, request

from gateway.console.backend import Part, Question
from gateway.console.liability.sentences import because
from gateway.console.members import exchange
from gateway.console.naming import with_customers
from gateway.console.reasons import reason
from gateway.console.web import backend, by_htmx, fragment, page, with_query
from gateway.console.words import N_, gettext, money, number, term

blueprint = Blueprint("members", __name__, url_prefix="/console/members")
LIST, ONE, REDEEM, ADJUST = (f"console/members/{name}.html" for name in ("list", "one", "redeem", "adjust"))
LINES = 50
FOUND = 8  # customers looked up by name: each is one more question to the loyalty service
ENTRIES = 30
LOTS = 100
HOLDS = 10

_SUMS = (
    (re.compile(r"of (?P<n>[0-9.]+ [A-Z]{3})"), N_("of %(n)s as it was bought")),
    (re.compile(r"(?P<p>[0-9.]+ %) of (?P<n>[0-9]+)"), N_("%(p)s of %(n)s")),
    (re.compile(r"base x (?P<n>[0-9.]+)"), N_("base times %(n)s")),
    (re.compile(r"base (?P<p>[0-9]+) x (?P<n>[0-9.]+)"), N_("base %(p)s times %(n)s")),
    (re.compile(r"bonus of (?P<n>[0-9]+)"), N_("bonus of %(n)s")),
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
def one(id: UUID) -> Response:
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
            "holds": open_holds(id),
            **exchange.questions(id, request.args.get("redeemed", "")),
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
        holds=parts["holds"],
        **exchange.facts(parts),
        typed={},
    )


def open_holds(id: UUID) -> Question:
    """What is set aside of a member's points now."""
    return ("holds", {"customer_id": str(id), "status": "open", "limit": HOLDS})


def how(detail: str | None) -> str:
    """The sum of a step, as the loyalty service wrote it, in the reader's language; as it came where it is new."""
    for pattern, message in _SUMS:
        if found := pattern.fullmatch(detail or ""):
            return gettext(message, **{name: _figure(value) for name, value in found.groupdict().items()})
    return because(detail) if detail else "–"


def step_name(rule: str) -> str:
    """What a step of a breakdown is called; a campaign by its code."""
    kind, _, code = rule.partition(" ")
    return gettext("Campaign %(code)s", code=code) if kind == "campaign" and code else term(rule)


def _figure(text: str) -> str:
    """``1430.00 CNY`` and ``1430`` as people write them; anything else as it came."""
    amount, _, currency = text.partition(" ")
    return money(amount, currency) if len(currency) == 3 else number(amount) if text.isdigit() else text


def about(entry: Mapping[str, Any]) -> str:
    """What an entry of the ledger is about, in a line: of a purchase its amount, of a redemption what for, else why."""
    inputs, reference = entry["why"].get("inputs") or {}, entry["key"].partition(":")[2]
    if entry["kind"] == "purchase" and inputs.get("total"):
        return f"{money(inputs['total'], inputs.get('currency'))} · {reference}"
    if inputs.get("reward"):
        pieces = f" × {number(inputs['quantity'])}" if inputs["quantity"] > 1 else ""
        return f"{inputs['reward']}{pieces}" + (f" · {entry['reference']}" if entry["reference"] else "")
    if entry["kind"] in ("hold", "capture"):
        return entry["reference"] or ""
    return reason(entry["reason"])


def _by_tier(tier: str, cursor: str) -> tuple[Part, list[Mapping[str, Any]], str | None]:
    found = backend().fan_out({"found": ("members", {"tier": tier, "cursor": cursor, "limit": LINES})})["found"]
    return found, with_customers(found.entries), found.get("next")


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
