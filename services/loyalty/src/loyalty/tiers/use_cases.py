"""A member rises at once; a refund undoes the rise built on it; a period that ends is reviewed (CG-22)."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.policy.rules import LoyaltyPolicy, Tier
from loyalty.tiers import domain
from loyalty.tiers.domain import GrowthWindow, Rise
from loyalty.tiers.windows import growth_steps, rises

STEP = 500


def rise(
    books: Books, account: Account, step: Rise, previous: Tier, growth: int, transaction_id: str | None, policy: Policy
) -> None:
    """Record a rise. A late one (before the last) belongs to the history only; the present tier stays as it is."""
    rules: LoyaltyPolicy = policy.rules
    clause = rules.tiers.named(step.tier).clause
    row = (
        "rise",
        step.tier,
        previous.name,
        step.since,
        step.kept_until,
        growth,
        transaction_id,
        None,
        policy.version,
        clause,
    )
    account.rises += 1
    if account.tier_since is None or step.since >= account.tier_since:
        account.tier, account.tier_since = step.tier, step.since
        account.tier_kept_until = account.tier_review_at = step.kept_until
        books.retier(account, row)
        announce(books, account, previous.name, growth, "rise", policy, clause)
    else:
        books.retier(account, row)


def announce(
    books: Books, account: Account, previous: str, growth: int, cause: str, policy: Policy, clause: str
) -> None:
    """``tier.changed`` with the full state and the member's next sequence."""
    account.sequence += 1
    rules: LoyaltyPolicy = policy.rules
    data = {
        "customer_id": account.customer_id,
        "tier": account.tier,
        "previous": previous,
        "since": (account.tier_since or books.now).isoformat(),
        "kept_until": account.tier_kept_until.isoformat() if account.tier_kept_until else None,
        "growth": max(growth, 0),
        "cause": cause,
        "rights": list(rules.tiers.named(account.tier).rights),
        "changed_at": books.now.isoformat(),
        "clause": clause,
    }
    key = f"tier:{account.customer_id}:{account.sequence}"
    books.announce("tier.changed.v1", account, key, data, policy.version, f"{account.sequence:020d}")


def reconsider(books: Books, customer_ids: Iterable[str], policy: Policy, at: datetime) -> None:
    """After refunds: rises that the remaining growth does not reach are revoked; a lower one may take their place."""
    wanted = [customer_id for customer_id in customer_ids if books.accounts[customer_id].rises]
    if not wanted:
        return
    rules, company = policy.rules.tiers, policy.company
    steps, known = growth_steps(books.session, wanted), rises(books.session, wanted)
    for customer_id in wanted:
        account, growth = books.accounts[customer_id], steps.get(customer_id, [])
        standing = list(known.get(customer_id, []))
        for void, reached, left in domain.unfounded(growth, standing, rules, company):
            standing.remove(void)
            books.retier(
                account,
                (
                    "revoked",
                    reached.name,
                    void.tier,
                    void.since,
                    None,
                    left,
                    None,
                    void.id,
                    policy.version,
                    rules.clause,
                ),
            )
            account.rises -= 1
            if reached.at > 0:
                lower = Rise(reached.name, void.since, void.kept_until)
                standing.append(lower)
                account.rises += 1
                books.retier(
                    account,
                    (
                        "rise",
                        lower.tier,
                        void.tier,
                        lower.since,
                        lower.kept_until,
                        left,
                        None,
                        None,
                        policy.version,
                        rules.clause,
                    ),
                )
        _settle(books, account, GrowthWindow(0, growth), standing, policy, at, "refund")


def review(context: Context) -> bool:
    """One step of the tier review: members whose kept period ended, or whose growth no longer carries them."""
    session, now = context.session, context.clock.now()
    due = session.execute(
        text("SELECT customer_id::text FROM member WHERE tier_review_at <= :now ORDER BY tier_review_at LIMIT :step"),
        {"now": now, "step": STEP},
    )
    customer_ids = list(due.scalars())
    if not customer_ids:
        return False
    books = Books(session)
    books.lock(customer_ids)
    policy = context.policies.in_force()
    steps, known = growth_steps(session, customer_ids), rises(session, customer_ids)
    for customer_id in customer_ids:
        account = books.accounts[customer_id]
        if account.tier_review_at is not None and account.tier_review_at <= now:
            window = GrowthWindow(0, steps.get(customer_id, []))
            _settle(books, account, window, known.get(customer_id, []), policy, now, "review")
    books.write()
    return len(customer_ids) == STEP


def tier_now(session: Session, customer_id: str, policy: Policy, at: datetime) -> str:
    """The tier of a member whose review is due and has not run yet."""
    rules = policy.rules.tiers
    window = GrowthWindow(0, growth_steps(session, [customer_id]).get(customer_id, []))
    standing = rises(session, [customer_id]).get(customer_id, [])
    return domain.tier_at(window, standing, rules.window.before(at, policy.company.time_zone), at, rules).name


def progress_of(session: Session, customer_id: str, policy: Policy, at: datetime) -> dict[str, Any]:
    """A member's growth in the window, the tier they have, the one above it and what is missing to it."""
    rules = policy.rules.tiers
    window = GrowthWindow(0, growth_steps(session, [customer_id]).get(customer_id, []))
    start = rules.window.before(at, policy.company.time_zone)
    standing = rises(session, [customer_id]).get(customer_id, [])
    tier, growth = domain.tier_at(window, standing, start, at, rules), window.upto(start, at)
    above = next((one for one in rules.tiers if one.at > tier.at), None)
    missing = None if above is None else {"tier": above.name, "at": above.at, "missing": max(above.at - growth, 0)}
    return {"tier": tier.name, "growth": growth, "window_from": start, "next": missing, "clause": tier.clause}


def _settle(
    books: Books, account: Account, window: GrowthWindow, standing: list[Rise], policy: Policy, at: datetime, cause: str
) -> None:
    """Bring the account row to what the history says now; announce it when the tier is another."""
    rules, company = policy.rules.tiers, policy.company
    before = account.tier
    start = rules.window.before(at, company.time_zone)
    tier = domain.tier_at(window, standing, start, at, rules)
    if rules.falls == "never" and cause == "review" and tier.at < rules.named(before).at:
        tier = rules.named(before)
    if rules.falls == "one level at period end" and cause == "review" and tier.at < rules.named(before).at:
        tier = rules.tiers[rules.rank(before) - 1]
    growth = window.before(start, at)
    kept = domain.kept(standing, at)
    holds = kept is not None and kept.tier == tier.name
    account.tier = tier.name
    account.tier_kept_until = kept.kept_until if kept is not None and holds else None
    account.tier_review_at = account.tier_kept_until or domain.next_fall(window.steps, tier, rules, company, at)
    if tier.name != before:
        account.tier_since = kept.since if kept is not None and holds else at
        fell = tier.at < rules.named(before).at
        if (
            not fell and not holds
        ):  # reached without a purchase that says so: late growth, or a pack that rises at review
            account.tier_kept_until = account.tier_review_at = rules.kept_for.after(at, company.time_zone)
            account.rises += 1
        until = None if fell else account.tier_kept_until
        step = (
            "fall" if fell else "rise",
            tier.name,
            before,
            at,
            until,
            growth,
            None,
            None,
            policy.version,
            rules.clause,
        )
        books.retier(account, step)
        announce(books, account, before, growth, cause, policy, rules.clause)
    books.remember_tier(account)
