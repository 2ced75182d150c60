"""Every service keeps the word of its own OpenAPI document: schemathesis asks, with all of its checks.

The short form asks little of each service's own operations (the chassis proves those that all services share);
KEZHI_LONG=1 (`make faults`) asks 500 examples of every operation.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from typing import Any

import pytest

from chassis.runtime import Runtime
from chassis.testkit import tokens
from chassis.testkit.conformance import breaches
from chassis.web.app import create_app
from gateway.people.founding import found_company
from kezhi.installation import SERVICES, build_service

LONG = bool(os.environ.get("KEZHI_LONG"))
SHARED = "/api/v1/services/"
ELSEWHERE = "/api/v1/portal/(complaints|answers)"  # the gateway asks the complaint service, which is not there

# What no schema can say, by the field that a 422 names (list positions and names of facts as *): it must exist
# elsewhere, or fit another field, the time, or the numbering plan. None: whatever it names.
MEANINGS: dict[str, set[str] | None] = {
    "POST /api/v1/api-keys": {"unit", "roles", "expires_at"},
    "POST /api/v1/staff": {"unit", "superior", "roles", "password"},
    "PATCH /api/v1/staff/{staff_id}": {
        "unit",
        "superior",
        "roles",
        "password",
        "absence.deputy",
        "absence.until",
    },
    "PUT /api/v1/staff/me/absence": {"absence.deputy", "absence.until"},
    "POST /api/v1/auth/password": {"password", "new_password"},
    "POST /api/v1/units": {"parent", "head"},
    "PATCH /api/v1/units/{unit_id}": {"parent", "head"},
    "GET /api/v1/customers": {"class", "ids"},
    "POST /api/v1/customers": {"phones.*.number", "profile.*", "unit"},
    "PATCH /api/v1/customers/{id}": {"phones.*.number", "profile.*", "unit"},
    "POST /api/v1/customers/{id}/blacklist": {"from", "until", "unit"},
    "POST /api/v1/classifications": {"scheme", "as_of"},
    "POST /api/v1/gradings": {"scheme", "as_of"},
    "GET /api/v1/insight/loyalty": {"from", "to"},
    "GET /api/v1/insight/rfm": {"as_of"},
    "POST /api/v1/imports": None,  # columns by the file's first line
    "POST /api/v1/purchases": None,  # events are answered one by one; a NUL anywhere refuses the call
    "POST /api/v1/adjustments": {"points", "reason_code"},
    "POST /api/v1/referrals": {"referred"},
    "POST /api/v1/opening-balances": None,  # columns by the file's first line, sums by its source
    "GET /api/v1/loyalty-reports/movements": {"from", "to"},
    "POST /api/v1/quotes": {"lines", "total"},
    "POST /api/v1/campaigns": {"until", "multiplier", "bonus", "control_group", "conditions.segment.tiers"},
    "PATCH /api/v1/campaigns/{id}": {"until", "multiplier", "bonus", "control_group", "conditions.segment.tiers"},
    "POST /api/v1/members/{customer_id}/tiers": {"tier", "until"},
    "POST /api/v1/members/{customer_id}/benefits": {"right", "stay_from", "stay_until"},
    "POST /api/v1/tier-reviews": {"as_of"},
    "GET /api/v1/loyalty-reports/tier-migration": {"to"},
    "POST /api/v1/rewards": {"stock", "points", "usable_for_days", "valid_until", "tiers"},
    "PATCH /api/v1/rewards/{id}": {"stock", "points", "usable_for_days", "valid_until", "tiers"},
    "POST /api/v1/redemptions": {"reward", "hold_id"},
    "POST /api/v1/complaints": {"category", "channel", "received_at", "complainant", "anonymous"},
    "PATCH /api/v1/complaints/{id}": {"category"},
    "POST /api/v1/complaints/hand-over": {"to"},
    "POST /api/v1/complaints/{id}/assign": {"handler"},
    "POST /api/v1/complaints/{id}/triage": {"category"},
    "POST /api/v1/complaints/{id}/promise": {"due_at"},
    "POST /api/v1/complaints/{id}/compensate": {"", "points", "amount", "currency", "compensation"},
    "POST /api/v1/complaints/{id}/propose": {"compensation"},
    "GET /api/v1/complaints": {"order"},
    "GET /api/v1/calendar/working-time": {"from", "working_days", "working_hours", ""},
    "POST /api/v1/calendar/years": {"year", "holidays", "workdays", ""},
    "GET /api/v1/complaint-reports/weekly": {"week"},
    "GET /api/v1/complaint-reports/monthly": {"month"},
    "GET /api/v1/complaint-kpis": {"from", "to"},
    "POST /api/v1/messages": {"template", "recipient", "recipient.phone", "channel"},
    "POST /api/v1/routes": {"event", "to.*", "when.*"},
    "PATCH /api/v1/preferences/{customer_id}": {"time_zone", "quiet_until", "quiet_from"},
    "POST /api/v1/templates": None,  # a text that names what its event has
    "POST /api/v1/templates/preview": None,
    "POST /api/v1/portal/complaints": {"challenge", "solution", "website", "complainant", "complainant.phone"},
    "POST /api/v1/portal/points": {"phone"},
    "POST /api/v1/services/*/policies": None,  # a real pack or nothing
    "POST /api/v1/services/*/policies/activate": {"effective_from"},
}


def meaning(operation: str, problem: dict[str, Any]) -> bool:
    """Whether a refusal of well-formed data is one that the document could not foretell."""
    operation = re.sub(r"/services/\w+/", "/services/*/", operation)
    if problem.get("status") != 422 or operation not in MEANINGS:
        return False
    fields = MEANINGS[operation]
    named = {
        re.sub(r"\.\d+(?=\.|$)|(?<=^profile)\..*|(?<=^when)\..*", ".*", name, flags=re.S)
        for name in problem.get("errors", ())
    }
    return fields is None or (bool(named) and named <= fields)


@pytest.mark.faults
@pytest.mark.timeout(7200 if LONG else 300)
@pytest.mark.parametrize("service", SERVICES)
def test_no_answer_departs_from_the_document(service: str, make_runtime: Callable[..., Runtime]) -> None:
    runtime = make_runtime(build_service(service), jwks_url=tokens.static_jwks())
    if service == "gateway":
        with runtime.context() as at:
            found_company(at.session)

    found = breaches(
        create_app(runtime),
        tokens.bearer(),
        max_examples=500 if LONG else 3,
        excused=meaning,
        without=f"^{ELSEWHERE}" if LONG else f"^({SHARED}|{ELSEWHERE})",
    )

    assert not found, "\n\n".join(found)
