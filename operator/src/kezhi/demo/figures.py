"""What there is in the company, counted through the public interface: the closing table's figures, page by page."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from decimal import Decimal

from kezhi.api import Api
from kezhi.demo.people import all_of


@dataclass
class Figures:
    """Counts by the names that the interface uses."""

    kinds: Counter[str] = field(default_factory=Counter)
    grades: Counter[str] = field(default_factory=Counter)
    frequency: Counter[str] = field(default_factory=Counter)
    amount: Counter[str] = field(default_factory=Counter)
    blacklisted: int = 0
    purchases: int = 0
    revenue: Decimal = Decimal(0)
    refunded: Decimal = Decimal(0)
    repeat_rate: str = ""
    tiers: dict[str, int] = field(default_factory=dict)
    points: int = 0
    liability: str = ""
    rewards: int = 0
    claimed: int = 0
    campaigns: int = 0
    granted: int = 0  # points that campaigns gave
    complaints: Counter[str] = field(default_factory=Counter)
    levels: Counter[int] = field(default_factory=Counter)
    clocks: Counter[str] = field(default_factory=Counter)
    messages: Counter[str] = field(default_factory=Counter)
    dead_letters: int = 0
    waiting_purchases: int = 0
    waiting_approvals: int = 0


def count(api: Api, told: Callable[[str, int], None] = lambda what, number: None) -> Figures:
    """Ask for everything; ``told`` hears how far the long lists are."""
    found = Figures()
    for number, customer in enumerate(all_of(api, "/customers"), 1):
        found.kinds[customer["kind"]] += 1
        found.grades[customer["grade"] or "ordinary"] += 1
        for scheme in ("frequency", "amount"):
            value = customer["classes"].get(scheme, {}).get("value", "none")
            getattr(found, scheme)[value] += 1
        found.blacklisted += not customer["standing"]["may_trade"]
        told("customers", number)
    for number, purchase in enumerate(all_of(api, "/purchases", status="accepted"), 1):
        found.purchases = number
        found.revenue += Decimal(purchase["total"])
        found.refunded += Decimal(purchase["refunded"])
        told("purchases", number)
    for case in all_of(api, "/complaints"):
        found.complaints[case["status"]] += 1
        found.levels[case["level"]] += 1
        if case["closed_at"] is None:
            found.clocks.update(clock["status"] for clock in case["clocks"])
    for number, message in enumerate(all_of(api, "/messages"), 1):
        sent = message["status"] in ("sent", "delivered")
        found.messages[message["channel"] if sent else message["status"]] += 1
        told("messages", number)
    liability = api.get("/loyalty-reports/liability")
    found.tiers = {tier["tier"]: tier["members"] for tier in liability["by_tier"]}
    found.points, found.liability = liability["points_outstanding"], f"{liability['money']} {liability['currency']}"
    found.rewards = sum(1 for _ in all_of(api, "/rewards"))
    found.claimed = sum(one["status"] == "redeemed" for one in all_of(api, "/redemptions"))
    for campaign in all_of(api, "/campaigns"):
        found.campaigns += 1
        found.granted += campaign["granted"]
    found.repeat_rate = str(api.get("/insight/loyalty")["repeat_purchase_rate"])
    for service in ("customer", "loyalty"):
        letters = all_of(api, f"/services/{service}/dead-letters", status="waiting")
        found.dead_letters += sum(1 for _ in letters)
    found.waiting_purchases = sum(1 for _ in all_of(api, "/unmatched-purchases"))
    proposals = all_of(api, "/services/customer/approvals", status="proposed")
    cases = all_of(api, "/complaints", approval_needed="true")
    found.waiting_approvals = sum(1 for _ in proposals) + sum(1 for _ in cases)
    return found
