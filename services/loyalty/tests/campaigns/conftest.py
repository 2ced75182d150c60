"""Builders for campaigns: drafted by marketing, started by a director."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest


class Marketing:
    """Who drafts campaigns, and the second person who starts them."""

    def __init__(self, programme: Any, client: Callable[..., Any]) -> None:
        self.programme = programme
        self.drafter = client(programme.runtime, roles=["marketing"], username="marketing")
        self.director = client(programme.runtime, roles=["director"], username="director")
        self.finance = client(programme.runtime, roles=["finance"], username="finance")

    def draft(self, code: str = "double", **facts: Any) -> Any:
        """``POST campaigns``; a week from now on, base x 2, for everybody, without a control group."""
        now = self.programme.clock.now()
        body = {
            "code": code, "name": code, "from": now.isoformat(), "until": now.replace(day=27).isoformat(),
            "control_group": "0", **facts,
        }  # fmt: skip
        if "bonus" not in body:
            body.setdefault("multiplier", "2")
        return self.drafter.post("/api/v1/campaigns", json=body)

    def start(self, campaign: str, by: Any = None) -> Any:
        """Proposed by marketing, agreed to by the director."""
        proposed = self.drafter.post(f"/api/v1/campaigns/{campaign}/start", json={})
        assert proposed.status_code == 202, proposed.get_json()
        approval = f"/api/v1/services/loyalty/approvals/{proposed.get_json()['id']}/approve"
        return (by or self.director).post(approval, json={})

    def run(self, code: str = "double", **facts: Any) -> str:
        """A campaign that runs; returns its id."""
        drafted = self.draft(code, **facts)
        assert drafted.status_code == 201, drafted.get_json()
        campaign: str = drafted.get_json()["id"]
        started = self.start(campaign)
        assert started.status_code == 200, started.get_json()
        return campaign

    def stop(self, campaign: str) -> Any:
        return self.drafter.post(f"/api/v1/campaigns/{campaign}/stop", json={"reason": "sold out"})

    def show(self, campaign: str) -> Any:
        return self.drafter.get(f"/api/v1/campaigns/{campaign}").get_json()

    def report(self, campaign: str) -> Any:
        return self.drafter.get(f"/api/v1/loyalty-reports/campaigns/{campaign}").get_json()


@pytest.fixture
def marketing(programme: Any, client: Callable[..., Any]) -> Marketing:
    return Marketing(programme, client)


@pytest.fixture
def why(api: Any) -> Callable[[str], dict[str, int]]:
    """``why(customer)`` → the steps of the member's only purchase: rule → points."""

    def steps(customer: str) -> dict[str, int]:
        entries = api.get(f"members/{customer}/entries").get_json()["items"]
        (entry,) = [entry for entry in entries if entry["kind"] == "purchase"]
        return {step["rule"]: step["points"] for step in entry["why"]["breakdown"]}

    return steps
