"""What the console shows of running the house: four sections of the rail."""

from __future__ import annotations

from gateway.console.area import Area, Section
from gateway.console.operations import approvals, audit, dead_letters, staff
from gateway.console.words import N_

OVERSEERS = frozenset({"administrator", "auditor"})

AREAS = (
    Area(approvals.blueprint, (Section("approvals", N_("Approvals"), "scale", "/console/approvals/"),)),
    Area(staff.blueprint, (Section("staff", N_("Staff"), "users-group", "/console/staff/"),)),
    Area(
        dead_letters.blueprint,
        (Section("dead-letters", N_("Dead letters"), "mail-x", "/console/dead-letters/", OVERSEERS),),
        {"event_words": dead_letters.event_words},
    ),
    Area(audit.blueprint, (Section("audit", N_("Audit"), "shield-lock", "/console/audit/", OVERSEERS),)),
)
