"""The tier of two members who become one, and of each when they part."""

from __future__ import annotations

from chassis.policies.book import Policy
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.policy.rules import TierRules
from loyalty.tiers.domain import RISE, Rise, last_earned
from loyalty.tiers.retracing import PolicyAt
from loyalty.tiers.use_cases import BEGINNING, histories, reconsider, settle
from loyalty.tiers.windows import rises, told


def keep_the_better_tier(books: Books, survivor: Account, absorbed: Account, policy: Policy) -> None:
    """The survivor has what the growth of both reaches, or the absorbed member's tier for as long as that is kept.

    What was written before this is read. A grant by hand comes along on its own (``grants.py``).
    """
    rules: TierRules = policy.rules.tiers
    history = histories(books.session, [survivor.customer_id])[survivor.customer_id]
    own = history.tier(survivor.enrolled_at, books.now, policy)
    step = last_earned(rises(books.session, [absorbed.customer_id]).get(absorbed.customer_id, []), books.now)
    if step is not None and step.kept_until > books.now and rules.named(step.tier).at > own.at:
        history.steps.append(Rise(step.tier, books.now, step.kept_until, kind=RISE))
    last = told(books.session, [survivor.customer_id]).get(survivor.customer_id)
    settle(books, survivor, history, last, policy, books.now, "merge")


def part_tiers(books: Books, survivor: Account, restored: Account, policy_at: PolicyAt) -> None:
    """Each has the tier of their own growth and history again. What was written before this is read."""
    both = [survivor.customer_id, restored.customer_id]
    reconsider(books, dict.fromkeys(both, BEGINNING), policy_at, "unmerge")
    books.write()
    last = told(books.session, both)
    for customer_id, history in histories(books.session, both).items():
        account = books.accounts[customer_id]
        settle(books, account, history, last.get(customer_id), policy_at(books.now), books.now, "unmerge")
