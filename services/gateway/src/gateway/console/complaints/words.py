"""How the codes of the complaint service are said: a code that has no words here is shown as it is, made readable."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from gateway.console.words import N_, gettext, term

# Said by the service with underscores; ``term`` reads "Calling back" and asks the catalogue for it.
STATES = (
    "received", "acknowledged", "triaged", "investigating", "proposed", "approved", "unfounded",
    "waiting_for_customer", "calling_back",
)  # fmt: skip
CODES: tuple[str, ...] = (
    # states and outcomes
    N_("Received"), N_("Acknowledged"), N_("Triaged"), N_("Investigating"), N_("Proposed"), N_("Approved"),
    N_("Resolved"), N_("Unfounded"), N_("Waiting for customer"), N_("Calling back"), N_("Closed"), N_("Withdrawn"),
    N_("Satisfied"), N_("Not reached"), N_("Executive"),
    # clocks
    N_("First contact"), N_("Answer"), N_("Progress"), N_("Resolution"), N_("Promise"), N_("Callback"), N_("Approval"),
    N_("Appeal"),
    # types and channels
    N_("Complaint"), N_("Inquiry"), N_("Opinion"), N_("Suggestion"), N_("Report"), N_("Praise"),
    N_("Hotline"), N_("Portal"), N_("Store box"), N_("Email"), N_("Letter"), N_("Visit"), N_("Message"),
    N_("Regulator"),
    # categories
    N_("Product"), N_("Quality"), N_("Price"), N_("Damaged"), N_("Expired"), N_("Label"), N_("Missing chinese label"),
    N_("Out of stock"), N_("Batch quality"), N_("Service"), N_("Attitude"), N_("Cashier"), N_("Insufficient"),
    N_("Improper"), N_("Safety"), N_("Accident"), N_("Environment"), N_("Food poisoning"), N_("Spoiled food"),
    N_("Facility"), N_("Building"), N_("Delivery"), N_("Late"), N_("Wrong"), N_("Order"), N_("Customisation"),
    N_("Policy"), N_("Other"),
    # causes that handlers write as a code
    N_("Storage"), N_("Transport"), N_("Production"), N_("Packaging"), N_("Process"), N_("Supplier"),
    N_("Communication"), N_("Equipment"), N_("Batch"),
    # whom it is against
    N_("Store"), N_("Department"), N_("Staff"),
    # roles
    N_("Front desk"), N_("Account manager"), N_("Handler"), N_("Service manager"), N_("Store manager"), N_("Director"),
    N_("Supervisor"), N_("Administrator"), N_("Auditor"), N_("Marketing"), N_("Finance"), N_("System"),
    # what reports are broken down by
    N_("Group"), N_("Person"), N_("Round"), N_("Against"), N_("Category"), N_("Type"), N_("Channel"), N_("State"),
    N_("Level"), N_("Unit"), N_("Outcome"), N_("Status"), N_("Cause"),
    # grades
    N_("Ordinary"), N_("Gold"), N_("Platinum"), N_("Diamond"),
)  # fmt: skip

ACTIONS: Mapping[str, tuple[str, str]] = {  # action → (what the button says, icon)
    "acknowledge": (N_("Acknowledge"), "check"),
    "contact": (N_("Contact"), "phone-outgoing"),
    "triage": (N_("Triage"), "filter"),
    "assign": (N_("Assign"), "user-check"),
    "investigate": (N_("Investigate"), "search"),
    "propose": (N_("Propose"), "scale"),
    "approve": (N_("Approve"), "gavel"),
    "resolve": (N_("Resolve"), "circle-check"),
    "attempt": (N_("Not reached"), "phone"),
    "callback": (N_("Call back"), "phone-call"),
    "promise": (N_("Promise"), "calendar-time"),
    "wait": (N_("Wait for the customer"), "player-pause"),
    "resume": (N_("Resume"), "player-play"),
    "compensate": (N_("Compensate"), "receipt-refund"),
    "escalate": (N_("Hand up"), "chevron-up"),
    "unfounded": (N_("Unfounded"), "ban"),
    "withdraw": (N_("Withdrawn by the customer"), "arrow-back-up"),
    "reopen": (N_("Reopen"), "rotate-clockwise"),
}
NEXT: Mapping[str, tuple[str, ...]] = {  # state → the actions that lead on, the first of them that is allowed
    "received": ("acknowledge",),
    "acknowledged": ("triage",),
    "triaged": ("investigate", "resolve"),
    "investigating": ("propose",),
    "proposed": ("approve", "resolve"),
    "approved": ("resolve",),
    "unfounded": ("resolve",),
    "waiting_for_customer": ("resume",),
    "calling_back": ("callback",),
}
AT_HAND = ("contact", "assign", "promise", "wait", "attempt")  # beside it; the rest stands under "More"

STEPS: Mapping[str, tuple[str, str, str]] = {  # step of the history → (what was done, icon, tone)
    "receive": (N_("Received"), "message-report", ""),
    "acknowledge": (N_("Acknowledged"), "check", ""),
    "contact": (N_("Customer contacted"), "phone-outgoing", ""),
    "progress": (N_("Customer told how it goes"), "phone-outgoing", ""),
    "triage": (N_("Triaged"), "filter", ""),
    "assign": (N_("Assigned"), "user-check", ""),
    "give": (N_("Assigned"), "user-check", ""),
    "hand_over": (N_("Handed over"), "user-check", ""),
    "investigate": (N_("Investigated"), "search", ""),
    "propose": (N_("Solution proposed"), "scale", ""),
    "approve": (N_("Proposal approved"), "gavel", "good"),
    "resolve": (N_("Answered to the customer"), "circle-check", "good"),
    "call_back": (N_("Call-back is due"), "phone-call", ""),
    "attempt": (N_("Call-back: not reached"), "phone", "warn"),
    "callback": (N_("Customer's answer"), "phone-call", "good"),
    "promise": (N_("Promised to the customer"), "calendar-time", ""),
    "wait": (N_("Waiting for the customer"), "player-pause", ""),
    "resume": (N_("Taken up again"), "player-play", ""),
    "compensate": (N_("Compensated"), "receipt-refund", ""),
    "escalate": (N_("Escalated"), "chevron-up", "bad"),
    "raise_level": (N_("Level raised"), "chevron-up", "warn"),
    "unfounded": (N_("Judged unfounded"), "ban", ""),
    "withdraw": (N_("Withdrawn by the customer"), "arrow-back-up", ""),
    "reopen": (N_("Reopened"), "rotate-clockwise", "warn"),
    "breach": (N_("Deadline missed"), "clock-exclamation", "bad"),
    "warn": (N_("Deadline near"), "clock", "warn"),
}
SCALE = (
    (1, N_("Very satisfied"), "good"),
    (2, N_("Satisfied"), "good"),
    (3, N_("Understands"), "warn"),
    (4, N_("Dissatisfied"), "bad"),
    (5, N_("Very dissatisfied"), "bad"),
)
TONES: Mapping[str, str] = {
    "received": "warn", "calling_back": "info", "closed": "good", "waiting_for_customer": "neutral",
    "withdrawn": "neutral", "unfounded": "neutral", "proposed": "info", "approved": "info",
}  # fmt: skip


def category(code: str | None) -> str:
    """``product.damaged`` as "Product · Damaged"."""
    return " · ".join(term(part) for part in code.split(".")) if code else "–"


def categories(codes: list[str]) -> list[tuple[str, str]]:
    """Codes with their words, for a form."""
    return [(code, category(code)) for code in codes]


def pairs(codes: Sequence[str]) -> list[tuple[str, str]]:
    """Codes with their words, as a select wants them."""
    return [(code, term(code)) for code in codes]


def units(found: Sequence[Mapping[str, Any]]) -> list[tuple[str, str]]:
    """Units by code, the whole tree in its order."""
    ordered = sorted(found, key=lambda unit: str(unit["path"]))
    return [(str(unit["code"]), str(unit["name"])) for unit in ordered]


def step(one: Mapping[str, Any]) -> tuple[str, str, str]:
    """What was done in a step of the history, its icon and tone."""
    said, icon, tone = STEPS.get(one["action"], ("", "circle", ""))
    if one["action"] == "callback" and one["to_status"] != "closed":
        tone = "bad"
    return (gettext(said) if said else term(one["action"])), icon, tone


def in_order(clocks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The deadlines of a case: what is awaited, soonest first; then what is over, the latest first."""
    awaited = [clock for clock in clocks if not clock.get("ended_at")]
    over = [clock for clock in clocks if clock.get("ended_at")]
    return [*sorted(awaited, key=_due), *sorted(over, key=_due, reverse=True)]


def _due(clock: Mapping[str, Any]) -> str:
    return str(clock["due_at"] or "")


def scale(value: int | None) -> str:
    """An answer of the call-back in words."""
    return next((f"{each} · {gettext(words)}" for each, words, _ in SCALE if each == value), "–")
