"""The only place that wires the complaint service."""

from __future__ import annotations

from importlib import import_module
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from chassis import people
from chassis.service import Service
from complaint.permissions import PERMISSIONS

FEATURES = ("cases", "clocks", "resolution", "satisfaction", "links", "analysis")


def build_service() -> Service:
    """The complaint service as it declares itself."""
    return Service(
        name="complaint",
        title="Kezhi complaint handling",
        version=version("kezhi-complaint"),
        migrations=Path(__file__).with_name("migrations"),
        blueprints=tuple(blueprint for feature in FEATURES for blueprint in _of(feature, "api", "BLUEPRINTS", ())),
        permissions=PERMISSIONS,
        subscriptions=(
            people.subscription(),
            *(one for feature in FEATURES for one in _of(feature, "subscriptions", "SUBSCRIPTIONS", ())),
        ),
        due={kind: do for feature in FEATURES for kind, do in _of(feature, "due", "DUE", {}).items()},
        schedules=tuple(one for feature in FEATURES for one in _of(feature, "due", "SCHEDULES", ())),
        policy=getattr(import_module("complaint.policy"), "SECTION") if find_spec("complaint.policy") else None,
    )


def _of(feature: str, module: str, name: str, default: Any) -> Any:
    """What a feature's folder declares: ``api.BLUEPRINTS``, ``subscriptions.SUBSCRIPTIONS``, ``due.DUE``, ``due.SCHEDULES``."""
    path = f"complaint.{feature}"
    if find_spec(path) is None or find_spec(f"{path}.{module}") is None:
        return default
    return getattr(import_module(f"{path}.{module}"), name, default)
