"""The area: its blueprint, its entry in the rail, and what its templates find."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.campaigns import drafting  # noqa: F401 - its routes
from gateway.console.campaigns.effect import arm_words
from gateway.console.campaigns.pages import NEARLY, TONES, blueprint, budget_share, promise
from gateway.console.words import N_

# States of the API, and what a proposal to start one consists of (``term``).
WORDS = (
    N_("Draft"), N_("Scheduled"), N_("Running"), N_("Ended"), N_("Stopped"), N_("Campaign"), N_("Promise"),
    N_("Conditions"), N_("Control group"), N_("Times"), N_("Budget"), N_("Members"), N_("Segment"), N_("Products"),
    N_("Categories"), N_("Stores"), N_("Channels"), N_("Least total"), N_("Happy hour"), N_("Code"), N_("Name"),
)  # fmt: skip
# What the loyalty service says when it refuses (``reasons.told``).
MESSAGES = (
    N_("The campaign cannot be"),
    N_("difference of mean net spend per listed member, Welch's t interval"),
    N_("must lie after `from`"),
    N_("give a multiplier or a bonus, one of them"),
    N_("its time is over: give the draft another one"),
    N_("it was started: what is promised stays promised. Stop it and draft another one"),
    N_("the draft was changed since it was proposed: propose it again"),
    N_("the policy pack in force does not allow it any more"),
)

AREA = Area(
    blueprint,
    (Section("campaigns", N_("Campaigns"), "target", "/console/campaigns/"),),
    {"promise": promise, "budget_share": budget_share, "arm_words": arm_words, "CAMPAIGN_TONES": TONES,
     "BUDGET_NEARLY": NEARLY},
)  # fmt: skip
