"""The only place that wires the complaint service."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.service import Service
from complaint.permissions import PERMISSIONS


def build_service() -> Service:
    """The complaint service as it declares itself."""
    return Service(
        name="complaint",
        title="Kezhi complaint handling",
        version=version("kezhi-complaint"),
        migrations=Path(__file__).with_name("migrations"),
        permissions=PERMISSIONS,
        subscriptions=(people.subscription(),),
    )
