"""The area: its blueprint, its entry in the rail, and the code words that its templates say."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.rewards import adjustments, redemptions, vouchers
from gateway.console.rewards.catalogue import blueprint
from gateway.console.words import N_

# Kinds, states and reasons of the API, and what a proposal of an adjustment consists of (``term``).
WORDS = (
    N_("Voucher"), N_("Gift"), N_("Benefit"), N_("Discount"), N_("Redeemed"), N_("Cancelled"),
    N_("Goodwill"), N_("Correction"), N_("Missing purchase"), N_("Promotion"), N_("Service failure"), N_("Misuse"),
    N_("Data entry"), N_("Other"), N_("Booked"), N_("Second person"), N_("Director"), N_("Adjustment id"),
    N_("Reason code"), N_("Note"), N_("Needs"), N_("Why"), N_("Unit path"), N_("Cancellation"),
)  # fmt: skip

# What the loyalty service says when it refuses (``reasons.told``).
MESSAGES = (
    N_("no voucher has this code: it was mistyped, as its check symbol says; type it again"),
    N_("the voucher is void: its redemption was cancelled"),
    N_("the redemption is cancelled already"),
    N_("the member is blacklisted or under review: nothing can be redeemed until that is cleared"),
    N_("the terms of the reward do not go together"),
    N_("say how many there are: a gift can run out"),
    N_("a discount is what its points are worth: give at least 1 point"),
    N_("a discount is money and has no stock"),
    N_("belongs to vouchers alone"),
    N_("must be later than valid_from"),
    N_("must not be 0"),
    N_("letters, digits, dots, dashes and underscores, 64 at most"),
)

AREA = Area(
    blueprint,
    (Section("rewards", N_("Rewards"), "gift", "/console/rewards/"),),
    {"VOUCHER_STATES": vouchers.STATES},
)

__all__ = ["AREA", "adjustments", "redemptions"]
