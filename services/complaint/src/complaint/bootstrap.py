"""The only place that wires the complaint service."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.service import Service
from complaint.analysis import api as analysis
from complaint.cases import api as cases
from complaint.cases.hidden import hidden_subjects
from complaint.cases.subscriptions import CUSTOMERS
from complaint.clocks import api as clocks
from complaint.clocks import due as clocks_due
from complaint.links import api as links
from complaint.links import due as links_due
from complaint.permissions import PERMISSIONS
from complaint.policy import SECTION
from complaint.policy import api as policy
from complaint.resolution import api as resolution


def build_service() -> Service:
    """The complaint service as it declares itself."""
    return Service(
        name="complaint",
        title="Kezhi complaint handling",
        version=version("kezhi-complaint"),
        migrations=Path(__file__).with_name("migrations"),
        blueprints=(
            *cases.BLUEPRINTS,
            *clocks.BLUEPRINTS,
            *resolution.BLUEPRINTS,
            *links.BLUEPRINTS,
            *analysis.BLUEPRINTS,
            *policy.BLUEPRINTS,
        ),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(), CUSTOMERS),
        due=clocks_due.DUE,
        schedules=(*clocks_due.SCHEDULES, *links_due.SCHEDULES),
        policy=SECTION,
        hidden_subjects=hidden_subjects,
    )
