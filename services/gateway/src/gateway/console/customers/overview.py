"""One customer from all sides: facts and why on the right, the time line in the middle, what can be done on top.

Everything is asked at once; a part that does not come is named where it would stand.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from flask import Response, request

from gateway.console.backend import Part
from gateway.console.customers.timeline import KINDS, told
from gateway.console.web import backend, fragment, page
from gateway.console.words import instant, month

TEMPLATE = "console/customers/overview.html"
LINES = 25
MONTHS = 24
PURCHASES = 200  # what the chart looks back over; all of them are in the archive


def show(id: str) -> Response:
    """The page."""
    kind = request.args.get("kind", "")
    parts = backend().fan_out(
        {
            "customer": f"customers/{id}",
            "archive": (f"customers/{id}/archive", {"limit": LINES, "kind": kind}),
            "purchases": ("purchases", {"customer_id": id, "limit": PURCHASES}),
            "complaints": ("complaints", {"customer_id": id, "limit": 8}),
            "member": f"members/{id}",
            "entries": (f"members/{id}/entries", {"limit": 5}),
            "messages": ("messages", {"customer_id": id, "limit": 5}),
        }
    )
    registry = parts["customer"]
    if registry.refused is not None:
        raise registry.refused  # whether there is such a customer for this reader is the registry's word
    return page(
        TEMPLATE,
        id=id,
        parts=parts,
        customer=registry.value,
        lacking=[(name, part) for name, part in parts.items() if part.missing],
        purchases=by_month(parts["purchases"].entries),
        **_timeline(parts["archive"], kind),
    )


def more_of_the_archive(id: str) -> Response:
    """The next part of the time line, put below the last."""
    kind = request.args.get("kind", "")
    asked = {"limit": LINES, "kind": kind, "cursor": request.args.get("cursor", "")}
    part = backend().fan_out({"archive": (f"customers/{id}/archive", asked)})["archive"]
    return fragment(TEMPLATE, "timeline", id=id, continued=True, **_timeline(part, kind))


def by_month(purchases: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """Purchases as the chart and its table show them: the last two years with a purchase at their end."""
    amounts: dict[tuple[int, int], Decimal] = defaultdict(Decimal)
    counts: dict[tuple[int, int], int] = defaultdict(int)
    currency = None
    for purchase in purchases:
        at = instant(purchase["occurred_at"])
        if at is None:
            continue
        key = (at.year, at.month)
        amounts[key] += Decimal(purchase["total"]) - Decimal(purchase.get("refunded") or 0)
        counts[key] += 1
        currency = purchase["currency"]
    if not amounts:
        return {"rows": [], "currency": None}
    first, last = min(amounts), max(amounts)
    months = [first]
    while months[-1] < last:
        year, number = months[-1]
        months.append((year + number // 12, number % 12 + 1))
    months = months[-MONTHS:]
    rows = [
        {
            "month": f"{y}-{m:02d}",
            "name": month(f"{y}-{m:02d}-01T12:00:00+00:00"),
            "amount": amounts[y, m],
            "count": counts[y, m],
        }
        for y, m in months
    ]
    return {"rows": rows, "currency": currency, "count": sum(counts.values()), "amount": sum(amounts.values())}


def folded(entries: Iterable[Mapping[str, Any]]) -> tuple[list[Mapping[str, Any]], dict[str, int]]:
    """The entries without the points of purchases that are among them, and those points by purchase."""
    entries = list(entries)
    bought = {entry["data"]["purchase_id"] for entry in entries if entry["fact"] == "purchase.completed"}
    points: dict[str, int] = {}
    left = []
    for entry in entries:
        purchase = entry["data"].get("purchase_id")
        if entry["fact"] == "points.earned" and purchase in bought and purchase not in points:
            points[purchase] = entry["data"]["points"]
        else:
            left.append(entry)
    return left, points


def _timeline(part: Part, kind: str) -> dict[str, Any]:
    """Entries under their months, and where they go on."""
    months: list[tuple[str, list[Any]]] = []
    entries, points = folded(part.entries)
    for entry in entries:
        line, name = told(entry, points.get(entry["data"].get("purchase_id", ""))), month(entry["at"])
        if not months or months[-1][0] != name:
            months.append((name, []))
        months[-1][1].append(line)
    return {"archive": part, "months": months, "kinds": KINDS, "kind": kind, "continued_at": part.get("next")}
