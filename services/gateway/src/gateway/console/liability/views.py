"""The area: its blueprint, its entry in the rail, and what its templates find."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.liability import rebates, sentences  # noqa: F401 - their routes
from gateway.console.liability.reports import READERS, blueprint
from gateway.console.words import N_

# What the service says of its method, and the columns of the movements (``term``).
WORDS = (
    N_("expired ÷ (expired + redeemed) of the lots whose life ended in the 24 months before"),
    N_("Opening"), N_("Adjusted"), N_("Closing"), N_("Tier"), N_("Campaign"), N_("Month"),
    N_("must not lie after `to`"),
    # of rebates
    N_("Unit"), N_("Growth"), N_("Purchases"), N_("Level 1"), N_("Level 2"), N_("Settled"), N_("Bought in it"),
    N_("Rebate"), N_("Rebate level 1"), N_("Rebate level 2"),
)  # fmt: skip

AREA = Area(
    blueprint,
    (Section("liability", N_("Liability"), "coins", "/console/liability/", READERS),),
    {"rebate_period": sentences.period_name, "rebate_amount": sentences.bought, "rebate_because": sentences.because},
)
