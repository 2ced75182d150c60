"""What a loyalty programme lives on besides purchases: rewards that are claimed, and a campaign that can be judged."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from http import HTTPStatus
from typing import Any

from kezhi.api import Refused
from kezhi.demo.people import People

MARKETING, DIRECTOR = "feng.xue", "zhao.min"
DEAR = ("gold", "platinum", "diamond")
CATALOGUE: tuple[dict[str, Any], ...] = (
    {"code": "CASH", "kind": "discount", "name": "收银台积分抵现", "points": 100},
    {"code": "COUPON20", "kind": "voucher", "name": "满 100 减 20 元券", "points": 600, "usable_for_days": 90},
    {"code": "CUP", "kind": "gift", "name": "云溪随行杯", "points": 900, "stock": 60},
    {"code": "TASTING", "kind": "benefit", "name": "新茶品鉴会席位", "points": 400, "stock": 40, "per_member": 1},
)
CLAIMED = ("COUPON20", "CUP", "COUPON20", "CASH", "COUPON20", "TASTING", "CASH", "CUP")
STEPS = 5  # of a discount that are taken at once
USED = 3  # vouchers that were handed in at a till
CHANGED_THEIR_MIND = 4  # the claim, by its place, that is taken back the same day


@dataclass
class Programme:
    """Marketing's side of it, and what members make of it."""

    people: People

    def open(self, at: datetime, until: datetime) -> None:
        """The catalogue, and double points on drinks until then, which a second person starts."""
        marketing = self.people(MARKETING)
        for reward in CATALOGUE:
            marketing.post("/rewards", {**reward, "tiers": list(DEAR) if reward["kind"] == "benefit" else []})
        drinks = {
            "code": "double_drinks",
            "name": "饮品双倍积分季",
            "from": at.isoformat(),
            "until": until.isoformat(),
            "multiplier": "2",
            "conditions": {"categories": ["water", "tea", "juice"]},
            "control_group": "0.2",
            "budget": 120_000,
        }
        made = marketing.post("/campaigns", drinks)
        asked = marketing.post(f"/campaigns/{made['id']}/start", {})
        agreed = {"note": "预算与对照组已核，同意"}
        self.people(DIRECTOR).post(f"/services/loyalty/approvals/{asked['id']}/approve", agreed)

    def claim(self, at: datetime) -> None:
        """Members exchange points: vouchers of which some were handed in, gifts, discounts; one changes their mind."""
        till = self.people.machine
        able = [
            member["customer_id"]
            for tier in DEAR
            for member in till.get("/members", tier=tier, limit=20)["items"]
            if member["points"]["available"] >= 1_000
        ]
        codes: list[str] = []
        for number, customer in enumerate(able[-2 * len(CLAIMED) :]):
            reward, mark = CLAIMED[number % len(CLAIMED)], f"demo-claim-{at:%Y%m%d}-{number}"
            body = {"customer_id": customer, "reward": reward, "quantity": STEPS if reward == "CASH" else 1}
            try:
                had = till.post("/redemptions", body, mark)
            except Refused as refused:
                if refused.status != HTTPStatus.CONFLICT:
                    raise
                continue  # who is barred, or had their seat before
            if number == CHANGED_THEIR_MIND:
                till.post(f"/redemptions/{had['id']}/cancel", {"reason": "顾客当场改变主意"}, f"{mark}-back")
            else:
                codes += [voucher["code"] for voucher in had["vouchers"]]
        for code in codes[:USED]:
            till.post(f"/vouchers/{code}/use", {"store": "SH001", "reference": f"{at:%Y%m%d}-{code}"}, f"use-{code}")
