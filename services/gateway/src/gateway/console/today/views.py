"""Today: what waits for me, most urgent first. Each part may be missing, and says so."""

from __future__ import annotations

from flask import Blueprint, Response

from gateway.console.area import Area, Section
from gateway.console.web import backend, me, page
from gateway.console.words import N_

blueprint = Blueprint("today", __name__, url_prefix="/console")


@blueprint.get("/")
def today() -> Response:
    """My due clocks, call-backs, approvals, inbox."""
    mine = me().username
    parts = backend().fan_out(
        {
            "due": ("complaints", {"handler": mine, "open": True, "order": "queue", "limit": 20}),
            "calls": ("complaints", {"status": "calling_back", "order": "queue", "limit": 20}),
            "complaint_approvals": ("services/complaint/approvals", {"status": "open"}),
            "inbox": ("inbox", {"unread": True, "limit": 20}),
        }
    )
    return page("console/today/today.html", parts=parts)


AREA = Area(blueprint, (Section("today", N_("Today"), "sun", "/console/"),))
