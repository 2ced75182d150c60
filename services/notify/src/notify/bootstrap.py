"""The only place that wires the notify service."""

from __future__ import annotations

from importlib.metadata import version
from pathlib import Path

from chassis import people
from chassis.service import Service
from notify.delivery import receipts
from notify.delivery.sender import place_messages, send_messages
from notify.inbox import api as inbox
from notify.messages import api as messages
from notify.messages.queries import hidden_subjects
from notify.messages.subscriptions import CUSTOMERS, EVENTS
from notify.permissions import PERMISSIONS
from notify.policy import SECTION
from notify.recipients import api as recipients
from notify.routes import api as routes
from notify.templates import api as templates
from notify.templates.starting import check_texts, look_over


def build_service() -> Service:
    """The notify service as it declares itself."""
    return Service(
        name="notify",
        title="Kezhi notifications: the right word to the right person, once",
        version=version("kezhi-notify"),
        migrations=Path(__file__).with_name("migrations"),
        blueprints=(
            messages.blueprint,
            inbox.blueprint,
            routes.blueprint,
            recipients.blueprint,
            receipts.blueprint,
            templates.blueprint,
        ),
        permissions=PERMISSIONS,
        subscriptions=(CUSTOMERS, EVENTS, people.subscription()),
        policy=SECTION,
        extend_app=check_texts,
        hidden_subjects=hidden_subjects,
        parts={"send": send_messages, "place": place_messages, "templates": look_over},
    )
