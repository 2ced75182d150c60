"""Reading loyalty.yaml; faults are noted, all of them."""

from __future__ import annotations

from decimal import Decimal

from chassis.policies import reading
from chassis.policies.company import Company
from chassis.policies.document import Node
from chassis.policies.reading import choice, code, mapping, number, share, table, unless, wrong
from chassis.policies.units import Duration, parse_duration
from loyalty.policy.adjusting import read_adjustments
from loyalty.policy.amounts import whole_points
from loyalty.policy.birthdays import read_birthday_grant
from loyalty.policy.campaigns import read_campaigns
from loyalty.policy.catalogue import Catalogue, read_catalogue
from loyalty.policy.earning import read_birthday, read_earning
from loyalty.policy.fraud import NO_LIMITS, read_fraud
from loyalty.policy.rebates import read_rebates
from loyalty.policy.rules import (
    END_OF_NEXT_YEAR,
    Currency,
    Expiry,
    LoyaltyPolicy,
    Participation,
    Redemption,
    Reward,
    Sanity,
)
from loyalty.policy.tiers import counted_by, read_tiers

REFUND_MODES = ("only_pending", "within_balance", "unlimited")


def load(node: Node, company: Company) -> LoyaltyPolicy:
    """Read loyalty.yaml; faults are noted."""
    keys = mapping(
        node,
        (
            "participation",
            "currencies",
            "earning",
            "refunds",
            "tiers",
            "redemption",
            "adjustments",
            "expiry",
            "sanity",
        ),
        ("birthday", "birthday_grant", "rewards", "catalogue", "fraud", "campaigns", "rebates"),
    )
    sanity = _sanity(keys["sanity"], company)
    currencies = mapping(keys["currencies"], ("points", "growth"), clause=True)
    refunds = mapping(keys["refunds"], ("mode",), clause=True)
    earning = read_earning(keys["earning"], company, sanity)
    tiers = read_tiers(keys["tiers"], sanity, earning, company)
    return LoyaltyPolicy(
        participation=_participation(keys["participation"]),
        points=_currency(currencies["points"], "points", currencies.clause),
        growth=_currency(currencies["growth"], "growth", currencies.clause),
        earning=counted_by(earning, tiers),
        refund_mode=choice(refunds["mode"], *REFUND_MODES),
        refund_clause=refunds.clause,
        tiers=tiers,
        birthday=keys.read("birthday", lambda birthday: read_birthday(birthday, sanity), None),
        birthday_grant=keys.read("birthday_grant", read_birthday_grant, None),
        redemption=_redemption(keys["redemption"], company, sanity),
        rewards=keys.read(
            "rewards", lambda rewards: table(rewards, lambda item: _reward(item, company), _reward_name), {}
        ),
        catalogue=keys.read("catalogue", lambda catalogue: read_catalogue(catalogue, company), Catalogue()),
        adjustments=read_adjustments(keys["adjustments"], company),
        expiry=_expiry(keys["expiry"]),
        fraud=keys.read("fraud", lambda fraud: read_fraud(fraud, company), NO_LIMITS),
        campaigns=keys.read("campaigns", lambda campaigns: read_campaigns(campaigns, sanity), None),
        rebates=keys.read("rebates", lambda rebates: read_rebates(rebates, tiers, sanity, company), None),
        company=company,
    )


def _sanity(node: Node, company: Company) -> Sanity:
    keys = mapping(node, ("bonus", "multiplier", "points_per_unit", "point_worth"), ("rebate",))
    read = Sanity(
        share(keys["bonus"], 1000),
        number(keys["multiplier"], 1),
        number(keys["points_per_unit"]),
        reading.money(keys["point_worth"], company.currency).value,
        keys.read("rebate", share, Decimal(1)),
    )
    return read if keys.sound else Sanity(*[Decimal(10**12)] * 5)


def _participation(node: Node) -> Participation:
    keys = mapping(node, ("enrolment", "kinds"), clause=True)
    enrolment = choice(keys["enrolment"], "automatic at registration", "on request")
    return Participation(enrolment, reading.listing(keys["kinds"], code, 1), keys.clause)


def _currency(node: Node, name: str, clause: str) -> Currency:
    keys = mapping(node, ("pending", "expires", "spent"))
    pending = unless(
        keys["pending"], "none", lambda item: reading.duration(item, ("minute", "hour", *reading.CALENDAR))
    )
    expires = keys["expires"]
    lapse = END_OF_NEXT_YEAR if expires.text == END_OF_NEXT_YEAR else unless(expires, "never", _lapse)
    return Currency(name, pending, lapse, reading.boolean(keys["spent"]), keys.clause or clause)


def _lapse(node: Node) -> str | Duration:
    if parse_duration(node.text) is None:
        wrong(
            node,
            f"`{node.text}` is no expiry",
            f"write `{END_OF_NEXT_YEAR}`, `never`, or a duration such as `12 months`",
        )
        return END_OF_NEXT_YEAR
    return reading.span(node)


def _redemption(node: Node, company: Company, sanity: Sanity) -> Redemption:
    keys = mapping(node, ("points", "worth", "hold_for"), clause=True)
    points, worth = whole_points(keys["points"]), reading.money(keys["worth"], company.currency).value
    if keys.sound and points < 1:
        wrong(keys["points"], "nothing cannot be redeemed", "write e.g. 100 points")
    elif keys.sound and worth / points > sanity.point_worth:
        wrong(
            keys["worth"],
            f"one point would be worth {worth / points:.4f}, above the pack's own sanity cap of {sanity.point_worth}",
            "is a decimal point missing? Else raise sanity.point_worth",
        )
    return Redemption(max(points, 1), worth, reading.duration(keys["hold_for"], ("minute", "hour", "day")), keys.clause)


def _reward_name(node: Node) -> str:
    return choice(node, "suggestion_adopted", "survey_answered", "referral")


def _reward(node: Node, company: Company) -> Reward:
    keys = mapping(node, ("points",), ("to", "after_purchase_of"), clause=True)
    to = keys.read("to", lambda rows: reading.listing(rows, lambda item: choice(item, "referrer", "referred")), ())
    after = keys.read("after_purchase_of", lambda item: reading.money(item, company.currency).value, None)
    return Reward(whole_points(keys["points"]), keys.clause, to, after)


def _expiry(node: Node) -> Expiry:
    keys = mapping(node, ("notices",), ("grace_after_cancelling",), clause=True)
    grace = keys.read("grace_after_cancelling", lambda item: unless(item, "none", reading.span), None)
    return Expiry(reading.listing(keys["notices"], reading.span), grace, keys.clause)
