"""The area: its blueprint, its entry in the rail, and what its templates find."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.liability.reports import READERS, blueprint
from gateway.console.words import N_

# What the service says of its method, and the columns of the movements (``term``).
WORDS = (
    N_("expired ÷ (expired + redeemed) of the lots whose life ended in the 24 months before"),
    N_("Opening"), N_("Adjusted"), N_("Closing"), N_("Tier"), N_("Campaign"), N_("Month"),
    N_("must not lie after `to`"),
)  # fmt: skip

AREA = Area(blueprint, (Section("liability", N_("Liability"), "coins", "/console/liability/", READERS),))
