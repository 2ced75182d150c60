"""The loyalty rules of a policy pack, as the rest of the service reads them. All numbers live in the pack."""

from __future__ import annotations

from chassis.policies.section import PolicySection
from loyalty.policy.adjusting import Adjustments
from loyalty.policy.fraud import Fraud
from loyalty.policy.reader import load
from loyalty.policy.rules import (
    Birthday,
    Caps,
    Currency,
    EarnRules,
    Exclusions,
    Expiry,
    LoyaltyPolicy,
    Participation,
    Redemption,
    Reward,
    Right,
    Sanity,
    Tier,
    TierRules,
)

SECTION = PolicySection("loyalty", load)

__all__ = [
    "SECTION",
    "Adjustments",
    "Birthday",
    "Caps",
    "Currency",
    "EarnRules",
    "Exclusions",
    "Expiry",
    "Fraud",
    "LoyaltyPolicy",
    "Participation",
    "Redemption",
    "Reward",
    "Right",
    "Sanity",
    "Tier",
    "TierRules",
    "load",
]
