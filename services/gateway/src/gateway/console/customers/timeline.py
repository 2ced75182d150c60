"""How one entry of the archive reads on the time line: an icon, a headline, and the facts that matter."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from gateway.console.house import person, place
from gateway.console.reasons import reason
from gateway.console.words import N_, gettext, money, number, term

ICONS: Mapping[str, str] = {
    "purchase": "shopping-cart",
    "points": "coins",
    "tier": "medal",
    "grade": "award",
    "class": "tag",
    "membership": "id",
    "profile": "edit",
    "identity": "link",
    "standing": "shield",
    "complaint": "message-report",
    "message": "mail",
}
KINDS = (
    ("", N_("Everything")),
    ("purchase", N_("Purchases")),
    ("complaint", N_("Complaints")),
    ("points", N_("Points")),
    ("grade", N_("Grade")),
    ("message", N_("Messages")),
    ("profile", N_("Changes")),
)
HEADLINES: Mapping[str, str] = {
    "purchase.completed": N_("Bought"),
    "purchase.refunded": N_("Refunded"),
    "customer.registered": N_("Registered"),
    "customer.updated": N_("Data changed"),
    "customer.identified": N_("Identity linked"),
    "customer.merged": N_("Merged"),
    "customer.unmerged": N_("Merge undone"),
    "customer.graded": N_("Grade changed"),
    "customer.classified": N_("Class changed"),
    "customer.blacklisted": N_("Blacklisted"),
    "customer.reinstated": N_("Taken off the blacklist"),
    "customer.evaluation_due": N_("Evaluation due"),
    "customer.flagged": N_("Flagged by data cleaning"),
    "member.enrolled": N_("Became a member"),
    "points.earned": N_("Points earned"),
    "points.redeemed": N_("Points redeemed"),
    "points.expiring": N_("Points about to expire"),
    "points.expired": N_("Points expired"),
    "points.adjusted": N_("Points adjusted"),
    "points.reversed": N_("Points taken back"),
    "tier.changed": N_("Tier changed"),
    "tier.at_risk": N_("Tier at risk"),
    "reward.issued": N_("Reward issued"),
    "complaint.received": N_("Complained"),
    "complaint.assigned": N_("Complaint assigned"),
    "complaint.contacted": N_("Contacted about the complaint"),
    "complaint.progressed": N_("Told of the progress"),
    "complaint.due_soon": N_("A deadline comes near"),
    "complaint.breached": N_("A deadline was missed"),
    "complaint.escalated": N_("Complaint handed up"),
    "complaint.resolved": N_("Complaint resolved"),
    "complaint.reopened": N_("Not satisfied: next round"),
    "complaint.closed": N_("Complaint closed"),
    "complaint.compensated": N_("Compensated"),
    "suggestion.adopted": N_("Suggestion adopted"),
    "notification.delivered": N_("Message delivered"),
    "notification.failed": N_("Message not delivered"),
}
_TONES = {
    "complaint.breached": "bad",
    "notification.failed": "bad",
    "customer.blacklisted": "bad",
    "complaint.reopened": "warn",
    "complaint.received": "warn",
    "complaint.escalated": "warn",
    "tier.at_risk": "warn",
    "complaint.closed": "good",
    "customer.reinstated": "good",
}
LEVEL = N_("Level %(n)s")


@dataclass(frozen=True)
class Line:
    """One entry, told."""

    at: str
    icon: str
    tone: str
    headline: str
    amount: str
    facts: tuple[str, ...]
    url: str | None


def told(entry: Mapping[str, Any], points: int | None = None) -> Line:
    """An entry of ``customers/{id}/archive`` in words; ``points``: what a purchase earned."""
    fact, data, kind = entry["fact"], entry["data"], entry["kind"]
    name = HEADLINES.get(fact)
    headline = gettext(name) if name else term(fact.replace(".", " "))
    url = f"/console/complaints/{data['complaint_id']}" if data.get("complaint_id") else None
    amount, facts = _OF_KIND.get(kind, _plainly)(data)
    if points:
        facts = (gettext("%(n)s points", n=f"+{number(points)}"), *facts)
    shown = tuple(str(one) for one in facts if one not in (None, "", "–"))
    return Line(entry["at"], ICONS.get(kind, "circle"), _TONES.get(fact, ""), headline, amount, shown, url)


def _purchase(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return money(data.get("total"), data.get("currency")), (
        place(data["store"]) if data.get("store") else None,
        term(data["channel"]) if data.get("channel") else None,
        data.get("purchase_id"),
    )


def _points(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    points = data.get("points")
    amount = ("+" if isinstance(points, int) and points > 0 else "") + number(points) if points is not None else ""
    reference = str(data.get("reference") or "").rpartition(":")[2]
    return amount, (reason(data.get("reason")), reference, data.get("clause"))


def _change(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    before, after = data.get("previous"), data.get("value") or data.get("tier") or data.get("to")
    arrow = f"{term(before)} → {term(after)}" if before else term(after) if after else ""
    # The grade is a scheme of its own, called "value" there; saying so would explain nothing.
    scheme = term(data["scheme"]) if data.get("scheme") not in (None, "value") else None
    return arrow, (scheme, reason(data.get("reason")), data.get("clause"))


def _complaint(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    level = gettext(LEVEL, n=data["level"]) if data.get("level") else None
    granted = gettext("%(n)s points", n=number(data["points"])) if data.get("points") else None
    answer = data.get("answer") or data.get("comment")
    return str(data.get("number") or ""), (data.get("subject"), level, granted, answer, reason(data.get("reason")))


def _profile(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    changed = ", ".join(term(name) for name in data.get("changed") or ())
    return "", (
        changed,
        data.get("identity"),
        person(data["by"]) if data.get("by") else None,
        reason(data.get("reason")),
    )


def _message(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return term(data.get("template")), (term(data.get("channel")), reason(data.get("reason")))


def _membership(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return term(data["tier"]) if data.get("tier") else "", (data.get("clause"),)


def _plainly(data: Mapping[str, Any]) -> tuple[str, tuple[Any, ...]]:
    return "", tuple(value for value in data.values() if isinstance(value, str) and len(value) < 80)[:3]


_OF_KIND: Mapping[str, Callable[[Mapping[str, Any]], tuple[str, tuple[Any, ...]]]] = {
    "purchase": _purchase,
    "points": _points,
    "grade": _change,
    "class": _change,
    "tier": _change,
    "complaint": _complaint,
    "profile": _profile,
    "identity": _profile,
    "message": _message,
    "membership": _membership,
}
