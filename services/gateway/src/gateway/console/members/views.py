"""The area: its blueprint, its entry in the rail, and what its templates find."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.members import counter, desk  # noqa: F401 - their routes
from gateway.console.members.pages import about, blueprint, how, step_name
from gateway.console.words import N_

# What the ledger and the tiers say, as people say it (``term``).
WORDS = (
    N_("Purchase"), N_("Refund"), N_("Release"), N_("Expiry"), N_("Unblock"), N_("Hold"), N_("Capture"),
    N_("Hold release"), N_("Compensation"), N_("Birthday"), N_("Base"), N_("Available"), N_("Pending"), N_("Held"),
    N_("Blocked"), N_("Merged"), N_("Erased"), N_("Rise"), N_("Fall"), N_("Revoked"), N_("Issued"), N_("Redeemed"),
    N_("Expired"), N_("Reversed"), N_("Deficit"), N_("Points"), N_("Growth"), N_("Hold time out"),
    N_("Cap per purchase"), N_("Cap per day and month"),
    N_("Tier bonus gold"), N_("Tier bonus platinum"), N_("Tier bonus diamond"),
    N_("Tier bonus ordinary"), N_("Refunded"), N_("Granted"), N_("Beneath"), N_("Lapsed"), N_("Captured"), N_("Spent"),
)  # fmt: skip

AREA = Area(
    blueprint,
    (Section("members", N_("Members"), "medal", "/console/members/"),),
    {"how": how, "about": about, "step_name": step_name},
)
