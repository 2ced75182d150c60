"""Which referrals count, and which purchase earns one: pure."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal

from chassis.policies.company import Company
from loyalty.policy.rules import EarnRules, Reward

WAITING, EARNED, REWARDED, VOID = "waiting", "earned", "rewarded", "void"
REFERRER, REFERRED = "referrer", "referred"


@dataclass(frozen=True, slots=True)
class Circumstances:
    """What is known of two members when one says to have brought the other."""

    one_person: bool  # the same member by now: merged
    shared_contact: bool  # a telephone number or an e-mail address
    referred_already: bool
    bought_before: bool
    circular: bool  # the new one has brought the other, directly or by others


OBJECTIONS = {
    "one_person": "they are one person: nobody refers themselves",
    "shared_contact": "they share a telephone number or an e-mail address: nobody refers themselves",
    "referred_already": "somebody has referred this customer already: it counts once",
    "bought_before": "this customer has bought before: only new customers are referred",
    "circular": "this customer has brought the referrer, directly or by others: referrals do not go in circles",
}


def objection(circumstances: Circumstances) -> str | None:
    """The first thing that stands against a referral, by its name in ``OBJECTIONS``."""
    return next((name for name in OBJECTIONS if getattr(circumstances, name)), None)


def suffices(total: Decimal, currency: str, reward: Reward, earning: EarnRules) -> bool:
    """Whether a purchase is worth enough; other currencies count as they do for earning."""
    worth = total * earning.rates.get(currency, Decimal(1))
    return worth > 0 and worth >= (reward.after_purchase_of or 0)


def in_time(occurred_at: datetime, referred_at: datetime, company: Company) -> bool:
    """Whether a purchase came after the referral. Tills tell late: one of the same company day is taken to."""
    return company.day_of(occurred_at) >= company.day_of(referred_at)
