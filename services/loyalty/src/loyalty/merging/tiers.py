"""The tier of two members who become one, and of each when they part."""

from __future__ import annotations

from chassis.policies.book import Policy
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.policy.rules import TierRules
from loyalty.tiers.domain import RISE, Rise, last_earned
from loyalty.tiers.use_cases import histories, reconsider, settle
from loyalty.tiers.windows import rises


def keep_the_better_tier(books: Books, survivor: Account, absorbed: Account, policy: Policy) -> None:
    """The survivor has what the growth of both reaches, or the absorbed member's tier for as long as that is kept.

    What was written before this is read. A grant by hand comes along on its own (``grants.py``).
    """
    rules: TierRules = policy.rules.tiers
    history = histories(books.session, [survivor.customer_id])[survivor.customer_id]
    own = history.tier(survivor.enrolled_at, books.now, policy)
    step = last_earned(rises(books.session, [absorbed.customer_id]).get(absorbed.customer_id, []), books.now)
    inherited = None
    if step is not None and step.kept_until > books.now and rules.named(step.tier).at > own.at:
        inherited = Rise(step.tier, books.now, step.kept_until, kind=RISE)
        history.steps.append(inherited)
    before = survivor.tier
    settle(books, survivor, history, policy, books.now, "merge")
    if inherited is not None and survivor.tier != before and survivor.tier == inherited.tier:
        survivor.rises += 1


def part_tiers(books: Books, survivor: Account, restored: Account, policy: Policy) -> None:
    """Each has the tier of their own growth and history again. What was written before this is read."""
    reconsider(books, [survivor.customer_id], policy, books.now)
    books.write()
    both = histories(books.session, [survivor.customer_id, restored.customer_id])
    for account in (survivor, restored):
        settle(books, account, both[account.customer_id], policy, books.now, "unmerge")
