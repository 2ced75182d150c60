"""What a member's page tells beside the ledger: rewards they may have, what was redeemed, rights, changes that wait,
and what a dealer is given back.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any
from uuid import UUID

from gateway.console.backend import Part, Question
from gateway.console.rewards.adjustments import judged
from gateway.console.rewards.rights import ADJUSTING, CANCELLING, GRANTING_RIGHTS, REDEEMING
from gateway.console.web import me

ON_OFFER: Question = ("rewards", {"on_offer": True, "limit": 200})
LINES = 10
PERIODS = 4  # settled rebates
_ID = re.compile(r"^[0-9a-f-]{36}$")


def questions(id: UUID, receipt: str) -> dict[str, Question]:
    """What the page asks. ``receipt``: id of the redemption that was just made, if any."""
    mine = {"customer_id": str(id), "limit": LINES}
    asked: dict[str, Question] = {
        "rewards": ON_OFFER,
        "redemptions": ("redemptions", mine),
        "benefits": f"members/{id}/benefits",
        "adjustments": ("adjustments", {**mine, "status": "proposed"}),
        "rebate": f"members/{id}/rebates/current",
        "rebates": (f"members/{id}/rebates", {"limit": PERIODS}),
    }
    return {**asked, **({"receipt": f"redemptions/{receipt}"} if _ID.match(receipt) else {})}


def facts(parts: Mapping[str, Part]) -> dict[str, Any]:
    """What its template shows of the answers, and which buttons this reader sees."""
    return {
        "rewards": parts["rewards"],
        "offers": offers(parts["rewards"], parts["member"].value),
        "redemptions": parts["redemptions"],
        "receipt": parts["receipt"].value if "receipt" in parts else None,
        "benefits": parts["benefits"],
        "adjustments": judged(parts["adjustments"].entries),
        # neither for who is no dealer, nor where the policy gives no rebates
        "rebate": parts["rebate"].value if parts["rebate"].get("level") else None,
        "rebates": parts["rebates"].entries,
        "redeems": me().holds(REDEEMING),
        "cancels": me().holds(CANCELLING),
        "grants": me().holds(GRANTING_RIGHTS),
        "adjusts": me().holds(ADJUSTING),
    }


def offers(rewards: Part, member: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """What this member's tier may have, cheapest first; ``short``: points that are missing for one."""
    if member is None:
        return []
    mine = [one for one in rewards.entries if not one["tiers"] or member["tier"] in one["tiers"]]
    available = member["points"]["available"]
    told = [{**one, "short": max(0, one["points"] - available)} for one in mine]
    return sorted(told, key=lambda one: (one["points"], one["name"]))
