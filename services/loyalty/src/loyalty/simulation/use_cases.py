"""``policies/simulate`` for loyalty: the last twelve months of everybody, under the policy in force and a draft.

Both are replayed, so like is compared with like. Where a member stood when the twelve months began is taken from the
books; from there on the draft decides everything that purchases and refunds bring about. Nothing is written but the
job that does it, a page of members at a time.
"""

from __future__ import annotations

from datetime import datetime
from decimal import Decimal
from typing import Any

from chassis.jobs import JobRow
from chassis.policies.book import Policy
from chassis.policies.units import Duration
from chassis.runtime import Context
from chassis.web.fields import plain
from loyalty.earning.terms import Terms
from loyalty.policy.rules import ONE_LEVEL, LoyaltyPolicy
from loyalty.reporting.liability import liability
from loyalty.simulation.domain import Comparison
from loyalty.simulation.population import PAGE, how_many, lives
from loyalty.simulation.replaying import money, replay

MOST_AFFECTED = 20
SPAN = Duration(12, "month")

ASSUMED = (
    "members buy and give back what they bought and gave back",
    "what was spent is spent: the liability changes by what is earned and not expired by now",
    "points of rewards, rebates, compensations and adjustments are the same under both policies",
    "campaigns give to the purchases that they gave to, in proportion to the base, where the policy allows them",
    "refunds take back in full, whatever the refund mode",
)
LANDS = "whose tier lands softly stands one level below the last one, from the end of its period on"
BY_LINE = (
    "the books keep of a line what the policy of its day needed: rates and exclusions by category, product, store or"
    " channel are applied only as far as that says"
)
EVERY_ASSUMPTION = (*ASSUMED, LANDS, BY_LINE)  # what a result may rest on; the console says each in Chinese too


def simulate(context: Context, current: Policy, tried: Policy, job: JobRow) -> bool:
    """One page of members; after the last one the result: what would have come of the twelve months under ``tried``.

    Every page is read as the books are at that moment, by the clock of the first one.
    """
    session, params = context.session, job.params
    now = datetime.fromisoformat(params["now"]) if "now" in params else context.clock.now()
    since = SPAN.before(now, current.company.time_zone)
    policies = (Terms(current), Terms(tried))
    if job.total is None:
        job.total = how_many(session)
    found = Comparison.of(params.get("found", {}))
    page = lives(session, params.get("after", ""), since, current.company, params["below"])
    for life in page:
        before, after = (replay(life, terms, now) for terms in policies)
        found.add(life, before, after, MOST_AFFECTED)
    job.done = found.members
    if len(page) < PAGE:
        job.total = found.members  # members may have come meanwhile
        job.params = {name: params[name] for name in params.keys() - {"found", "after"}}
        job.result = _result(context, found, policies, since, now)
        return False
    job.params = {
        **params, "now": now.isoformat(), "after": page[-1].customer_id, "found": found.kept(MOST_AFFECTED),
    }  # fmt: skip
    return True


def _result(
    context: Context, found: Comparison, policies: tuple[Terms, Terms], since: datetime, now: datetime
) -> dict[str, Any]:
    current, tried = (terms.policy for terms in policies)
    owed = Decimal(liability(context.session, current, now)["money"])
    grown = money(found.unexpired[1], policies[1]) - money(found.unexpired[0], policies[0])
    told = list(ASSUMED)
    if any(terms.rules.tiers.falls == ONE_LEVEL for terms in policies):
        told.append(LANDS)
    if not all(terms.uniform for terms in policies):
        told.append(BY_LINE)
    return {
        "in_force": current.version,
        "tried": tried.version,
        "from": since.isoformat(),
        "to": now.isoformat(),
        "members": found.members,
        "purchases": found.purchases,
        "points": _beside(*found.points),
        "cost": {
            **_shown(money(found.points[0], policies[0]), money(found.points[1], policies[1])),
            "currency": current.company.currency,
        },
        "liability": {**_shown(owed, owed + grown), "points": found.unexpired[1] - found.unexpired[0]},
        "tiers": _tiers(found, current.rules, tried.rules),
        "most_affected": found.most_affected(MOST_AFFECTED),
        "assumed": told,
    }


def _tiers(found: Comparison, current: LoyaltyPolicy, tried: LoyaltyPolicy) -> dict[str, Any]:
    """Who stands where now, counted from the first tier of each policy."""
    counts = {"upgrades": 0, "downgrades": 0, "unchanged": 0}
    moves = []
    for (before, after), members in sorted(found.moves.items()):
        step = tried.tiers.rank(after) - current.tiers.rank(before)
        counts["upgrades" if step > 0 else "downgrades" if step < 0 else "unchanged"] += members
        moves.append({"from": before, "to": after, "members": members})
    return {**counts, "moves": moves}


def _beside(in_force: int, tried: int) -> dict[str, int]:
    return {"in_force": in_force, "tried": tried, "delta": tried - in_force}


def _shown(in_force: Decimal, tried: Decimal) -> dict[str, str]:
    places = Decimal("0.0001")
    both = {"in_force": in_force, "tried": tried, "delta": tried - in_force}
    return {name: plain(amount.quantize(places)) for name, amount in both.items()}
