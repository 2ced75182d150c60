"""The area: its blueprint, its entry in the rail, and what its templates find."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.complaints import case, intake, reports, words
from gateway.console.complaints.queue import blueprint
from gateway.console.words import N_

READERS = frozenset(
    {
        "front_desk",
        "account_manager",
        "handler",
        "service_manager",
        "store_manager",
        "director",
        "supervisor",
        "auditor",
    }
)

AREA = Area(
    blueprint,
    (
        Section(
            "complaints",
            N_("Complaints"),
            "message-report",
            "/console/complaints/",
            READERS,
            count=("complaints/counts", "open"),
            urgent=("complaints/counts", "breached"),
        ),
    ),
    {
        "category_words": words.category,
        "step_words": words.step,
        "scale_words": words.scale,
        "in_order": words.in_order,
        "pairs": words.pairs,
        "units": words.units,
        "SCALE": words.SCALE,
        "STATE_TONES": words.TONES,
        "ACTION_WORDS": words.ACTIONS,
    },
)

__all__ = ["AREA", "case", "intake", "reports"]
