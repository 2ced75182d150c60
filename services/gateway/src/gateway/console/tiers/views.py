"""The area: its blueprint, its entry in the rail, and the words of its codes."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.tiers import migration, reviews
from gateway.console.tiers.levels import READERS, blueprint
from gateway.console.web import me
from gateway.console.words import N_

# What reviews, moves and the pack say, as people say it (``term``).
WORDS = (
    N_("Falls"), N_("Rises"), N_("At risk"), N_("Keeps"), N_("New"), N_("Queued"), N_("Running"), N_("Done"),
    N_("Failed"), N_("Amount"), N_("Count"), N_("Rolling"), N_("Calendar year"), N_("Anniversary year"), N_("At once"),
    N_("At period end"), N_("One level at period end"), N_("Never"), N_("What comes"), N_("Tier before"),
    N_("Missing"), N_("Falls on"), N_("Year"),
)  # fmt: skip

AREA = Area(
    blueprint,
    (Section("tiers", N_("Tiers"), "stack-2", "/console/tiers/"),),
    {"sees_who_moves": lambda: me().holds(READERS)},
)

__all__ = ["AREA", "migration", "reviews"]
