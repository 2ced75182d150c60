"""The only place that wires the notify service."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.service import Service
from notify.permissions import PERMISSIONS
from notify.templates import api as templates
from notify.templates.checking import check_bundled


def build_service() -> Service:
    """The notify service as it declares itself."""
    check_bundled()
    return Service(
        name="notify",
        title="Kezhi notifications",
        version=version("kezhi-notify"),
        migrations=Path(__file__).with_name("migrations"),
        blueprints=(templates.blueprint,),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(),),
    )
