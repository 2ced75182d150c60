"""The only place that wires the notify service."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.service import Service
from notify.permissions import PERMISSIONS


def build_service() -> Service:
    """The notify service as it declares itself."""
    return Service(
        name="notify",
        title="Kezhi notifications",
        version=version("kezhi-notify"),
        migrations=Path(__file__).with_name("migrations"),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(),),
    )
