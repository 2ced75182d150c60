"""A tier given by hand needs a reason, an end and a second person, and leaves nothing behind."""

from __future__ import annotations

import uuid
from datetime import datetime, timedelta
from typing import Any

import pytest


@pytest.fixture
def as_(programme: Any, client: Any) -> Any:
    """``as_("li", "director", "members/…/tiers", {…})``: a POST by somebody of that role."""

    def post(username: str, role: str, path: str, body: Any = None) -> Any:
        who = client(programme.runtime, roles=[role], username=username)
        return who.post(f"/api/v1/{path}", json=body or {}, headers={"Idempotency-Key": uuid.uuid4().hex})

    return post


@pytest.fixture
def granted(programme: Any, as_: Any) -> Any:
    """``granted(customer, "platinum", days=60)`` proposes and agrees; answers the approval's result."""

    def give(customer: str, tier: str, days: int) -> dict[str, Any]:
        until = programme.clock.now() + timedelta(days=days)
        body = {"tier": tier, "until": until.isoformat(), "reason": "moved over from a competitor"}
        proposed = as_("wang", "marketing", f"members/{customer}/tiers", body)
        assert proposed.status_code == 202, proposed.get_json()
        agreed = as_("zhao", "director", f"services/loyalty/approvals/{proposed.get_json()['id']}/approve")
        assert agreed.status_code == 200, agreed.get_json()
        found: dict[str, Any] = agreed.get_json()["result"]
        return found

    return give


def tier(api: Any, customer: str) -> str:
    found: str = api.get(f"members/{customer}").get_json()["tier"]
    return found


@pytest.mark.rule("CG-23")
def test_a_granted_tier_counts_from_the_second_persons_word_to_its_end(
    programme: Any, api: Any, granted: Any, recorded: Any
) -> None:
    customer = programme.enrol("card:1")
    programme.buys("100.00", "P1")
    granted(customer, "platinum", days=60)

    programme.clock.advance(days=1)
    programme.buys("100.00", "P2")
    (step,) = api.get(f"members/{customer}/tiers").get_json()["items"]
    assert (tier(api, customer), step["kind"], step["reason"]) == (
        "platinum",
        "granted",
        "moved over from a competitor",
    )
    assert (step["granted_by"], step["approved_by"]) == ("wang", "zhao")
    assert api.get(f"members/{customer}/entries", limit=1).get_json()["items"][0]["points"] == 120
    programme.clock.advance(days=60)

    assert tier(api, customer) == "ordinary", "before any review has run"
    programme.buys("100.00", "P3")
    assert api.get(f"members/{customer}/entries", limit=1).get_json()["items"][0]["points"] == 100
    programme.run("review-tiers")
    events = [(event.data["tier"], event.data["cause"]) for event in recorded(programme.runtime, "tier.changed.v1")]
    assert events == [("platinum", "manual"), ("ordinary", "review")]


@pytest.mark.rule("CG-23")
def test_what_is_earned_beneath_a_grant_is_what_the_member_falls_back_on(
    programme: Any, api: Any, granted: Any
) -> None:
    customer = programme.enrol("card:1")
    granted(customer, "diamond", days=60)
    programme.clock.advance(days=1)
    programme.buys("1500.00")
    assert tier(api, customer) == "diamond"

    programme.clock.advance(days=60)
    programme.run("review-tiers")

    assert tier(api, customer) == "gold"
    kept_until = api.get(f"members/{customer}").get_json()["tier_kept_until"]
    assert datetime.fromisoformat(kept_until) == programme.clock.now() + timedelta(days=305)
    programme.clock.advance(days=305, seconds=1)
    programme.run("review-tiers")
    assert tier(api, customer) == "ordinary", "the grant is no floor, neither before nor after"


@pytest.mark.rule("CG-23")
def test_a_grant_can_be_withdrawn_once(programme: Any, api: Any, granted: Any, as_: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1500.00")
    granted(customer, "diamond", days=60)
    programme.clock.advance(days=1)

    path = f"members/{customer}/tiers/withdraw"
    first = as_("zhao", "director", path, {"reason": "given by mistake"})
    again = as_("zhao", "director", path, {"reason": "given by mistake"})

    assert (first.status_code, first.get_json()["kind"], first.get_json()["tier"]) == (200, "revoked", "gold")
    assert again.status_code == 409
    assert tier(api, customer) == "gold"
    programme.clock.advance(seconds=1)
    programme.buys("100.00")
    assert api.get(f"members/{customer}/entries", limit=1).get_json()["items"][0]["points"] == 110


def test_nobody_grants_alone_or_what_is_held_or_without_an_end(programme: Any, as_: Any) -> None:
    customer = programme.enrol("card:1")
    programme.buys("1500.00")
    until = (programme.clock.now() + timedelta(days=9)).isoformat()
    body = {"tier": "platinum", "until": until, "reason": "a good guest"}
    path = f"members/{customer}/tiers"

    proposed = as_("zhao", "director", path, body).get_json()["id"]
    assert as_("zhao", "director", f"services/loyalty/approvals/{proposed}/approve").status_code == 403
    assert as_("wang", "marketing", f"services/loyalty/approvals/{proposed}/approve").status_code in (403, 404)
    assert as_("li", "front_desk", path, body).status_code == 403
    assert as_("zhao", "director", path, body | {"tier": "gold"}).status_code == 409
    over = as_("zhao", "director", path, body | {"until": "2026-11-01T00:00:00Z"})
    assert (over.status_code, list(over.get_json()["errors"])) == (422, ["until"])
    unheard = as_("zhao", "director", path, body | {"tier": "titanium"})
    assert (unheard.status_code, list(unheard.get_json()["errors"])) == (422, ["tier"])


def test_a_grant_whose_end_passed_while_it_was_looked_at_is_not_given(programme: Any, api: Any, as_: Any) -> None:
    customer = programme.enrol("card:1")
    until = (programme.clock.now() + timedelta(hours=1)).isoformat()
    body = {"tier": "gold", "until": until, "reason": "for the afternoon"}
    proposed = as_("wang", "marketing", f"members/{customer}/tiers", body).get_json()["id"]

    programme.clock.advance(hours=2)

    assert as_("zhao", "director", f"services/loyalty/approvals/{proposed}/approve").status_code == 409
    assert tier(api, customer) == "ordinary"


def test_a_refund_of_what_was_earned_beneath_leaves_the_grant(programme: Any, api: Any, granted: Any) -> None:
    customer = programme.enrol("card:1")
    granted(customer, "diamond", days=60)
    programme.clock.advance(days=1)
    programme.buys("1500.00", "P1")
    programme.refunds("P1", "1500.00")
    assert tier(api, customer) == "diamond"
    now = programme.clock.now()
    moved = {"from": (now - timedelta(days=1, hours=1)).isoformat(), "to": (now + timedelta(hours=1)).isoformat()}
    (row,) = api.get("loyalty-reports/tier-migration", **moved).get_json()["items"]
    assert (row["from"], row["to"]) == (None, "diamond")

    programme.clock.advance(days=60)
    programme.run("review-tiers")

    assert tier(api, customer) == "ordinary"
