"""The area: its blueprint, its entry in the rail, and what the service says that forecasts rest on."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.simulation.pages import READERS, blueprint
from gateway.console.words import N_

ASSUMED = (
    N_("members buy and give back what they bought and gave back"),
    N_("what was spent is spent: the liability changes by what is earned and not expired by now"),
    N_("points of rewards, rebates, compensations and adjustments are the same under both policies"),
    N_("campaigns give to the purchases that they gave to, in proportion to the base, where the policy allows them"),
    N_("refunds take back in full, whatever the refund mode"),
    N_("whose tier lands softly stands one level below the last one, from the end of its period on"),
    N_(
        "the books keep of a line what the policy of its day needed: rates and exclusions by category, product, store"
        " or channel are applied only as far as that says"
    ),
)
WORDS = (N_("Policy pack refused"),)  # how the service calls a draft that it cannot read

AREA = Area(blueprint, (Section("simulation", N_("Try a policy"), "adjustments", "/console/simulation/", READERS),))
