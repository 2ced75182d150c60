"""The only place that wires the complaint service."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chassis import people
from chassis.service import Service
from complaint.cases.hidden import hidden_subjects
from complaint.cases.subscriptions import CUSTOMERS
from complaint.clocks.due import DUE, SCHEDULES
from complaint.permissions import PERMISSIONS
from complaint.policy import SECTION

FEATURES = ("cases", "clocks", "links", "analysis", "resolution", "satisfaction")


def build_service() -> Service:
    """The complaint service as it declares itself."""
    return Service(
        name="complaint",
        title="Kezhi complaint handling",
        version=version("kezhi-complaint"),
        migrations=Path(__file__).with_name("migrations"),
        blueprints=tuple(blueprint for api in map(_api, FEATURES) if api is not None for blueprint in api.BLUEPRINTS),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(), CUSTOMERS),
        due=DUE,
        schedules=SCHEDULES,
        policy=SECTION,
        hidden_subjects=hidden_subjects,
    )


def _api(feature: str) -> Any:
    """A feature's HTTP face, if it has one."""
    path = f"complaint.{feature}.api"
    return import_module(path) if find_spec(path) else None
