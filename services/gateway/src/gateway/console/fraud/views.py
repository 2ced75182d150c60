"""The area: its blueprint, its entry in the rail, and what its templates find."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.fraud import sentences
from gateway.console.fraud.pages import READERS, blueprint
from gateway.console.words import N_

# States, as people say them (``term``), and why the service may refuse a release.
WORDS = (
    N_("Released"), N_("Voided"),
    N_("the member is blacklisted: what is earned stays blocked until they are reinstated"),
)  # fmt: skip

COUNTED = 20  # the rail asks on every page: beyond so many it says 20+

AREA = Area(
    blueprint,
    (
        Section(
            "fraud",
            N_("Points under review"),
            "shield-check",
            "/console/fraud/",
            READERS,
            count=(f"fraud-reviews?status=open&limit={COUNTED}", "items"),
        ),
    ),
    {"fraud_found": sentences.found, "fraud_cause": sentences.cause},
)
