"""The service keeps the word of its own OpenAPI document."""

from __future__ import annotations

import re

import pytest

from chassis.testkit import tokens
from chassis.testkit.conformance import breaches
from chassis.web.app import create_app

# What no schema can say: it must exist elsewhere, or fit another field. None: whatever is named.
MEANINGS: dict[str, set[str] | None] = {
    "POST /api/v1/messages": {"template", "recipient", "recipient.phone", "channel"},
    "POST /api/v1/routes": {"event", "to.*", "when.*"},
    "PATCH /api/v1/preferences/{customer_id}": {"time_zone", "quiet_until", "quiet_from"},
    "POST /api/v1/templates": None,  # a text that names what its event has
    "POST /api/v1/templates/preview": None,
}


def meaning(operation: str, problem: dict) -> bool:
    if problem.get("status") != 422 or operation not in MEANINGS:
        return False
    fields = MEANINGS[operation]
    named = {re.sub(r"(?<=^to)\.\d+|(?<=^when)\..*", ".*", name, flags=re.S) for name in problem.get("errors", ())}
    return fields is None or (bool(named) and named <= fields)


@pytest.mark.timeout(300)
def test_no_answer_departs_from_the_document(office):
    guest = office.customer()
    office.company.employ("li", ["handler"])
    office.hears(office.points_expiring(guest), office.complaint("breached", handler="li"))
    office.works()

    found = breaches(
        create_app(office.runtime), tokens.bearer(), max_examples=2, excused=meaning, without="^/api/v1/services/"
    )

    assert not found, "\n\n".join(found)
