"""A member rises at once; a refund undoes the rise built on it; a period that ends is reviewed (CG-22)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.policy.rules import ONE_LEVEL, LoyaltyPolicy, Tier, TierRules
from loyalty.tiers import domain
from loyalty.tiers.domain import BENEATH, GRANTED, LANDING, RISE, GrowthWindow, Rise
from loyalty.tiers.periods import Stretch, kept_until, stretches
from loyalty.tiers.retracing import PolicyAt, Retraced, retrace
from loyalty.tiers.windows import Told, growth_steps, purchases_since, rises, told

STEP = 500
BEGINNING = datetime.min.replace(tzinfo=UTC)


@dataclass(slots=True)
class History:
    """What decides a member's tier at any instant: growth, and the steps that are kept."""

    window: GrowthWindow
    steps: list[Rise]

    def tier(self, account_since: datetime, at: datetime, policy: Policy) -> Tier:
        """The tier at ``at`` of a member who enrolled at ``account_since``."""
        rules: TierRules = policy.rules.tiers
        spans = stretches(rules, at, account_since, policy.company)
        return domain.tier_at(self.window, self.steps, spans, at, rules)


def histories(session: Session, customer_ids: list[str]) -> dict[str, History]:
    """The histories of some members, read at once."""
    growth, kept = growth_steps(session, customer_ids), rises(session, customer_ids)
    return {one: History(GrowthWindow(0, growth.get(one, [])), kept.get(one, [])) for one in customer_ids}


def rise_by_growth(
    books: Books,
    account: Account,
    window: GrowthWindow,
    known: list[Rise],
    spans: tuple[Stretch, ...],
    at: datetime,
    transaction_id: str,
    policy: Policy,
) -> None:
    """What a purchase at ``at``, counted in ``window`` already, does to its member's tier.

    A grant by hand hides what is earned beneath it, so the rise is decided as if there were none.
    """
    rules: TierRules = policy.rules.tiers
    earned = [step for step in known if step.kind != GRANTED]
    tier = domain.tier_at(window, earned, spans, at, rules)
    risen = domain.rise_after(window, tier, spans, at, rules, policy.company, account.enrolled_at)
    if risen is not None:
        step, growth = risen
        hidden = domain.hides(known, step, rules)
        known.append(step)
        rise(books, account, step, tier, growth, transaction_id, hidden, policy)
        return
    review_at = domain.review_due(window, tier, at, rules, policy.company, account.enrolled_at)
    if review_at is not None and (account.tier_review_at is None or review_at < account.tier_review_at):
        account.tier_review_at = review_at
        books.remember_tier(account)


def rise(
    books: Books,
    account: Account,
    step: Rise,
    previous: Tier,
    growth: int,
    transaction_id: str,
    hidden: bool,
    policy: Policy,
) -> None:
    """Record a rise. A late one (before the last) belongs to the history only; the present tier stays as it is.

    So does one that a higher grant hides: it is what the member falls back on when the grant ends.
    """
    rules: TierRules = policy.rules.tiers
    clause = rules.named(step.tier).clause
    row = (
        BENEATH if hidden else RISE, step.tier, previous.name, step.since, step.kept_until, growth, transaction_id,
        None, policy.version, clause,
    )  # fmt: skip
    account.rises += 1
    books.retier(account, row)
    if not hidden and (account.tier_since is None or step.since >= account.tier_since):
        account.tier, account.tier_since = step.tier, step.since
        account.tier_kept_until = account.tier_review_at = step.kept_until
        announce(books, account, previous.name, growth, "rise", policy, clause)


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


def reconsider(books: Books, since: Mapping[str, datetime], policy_at: PolicyAt, cause: str, lost: bool = True) -> None:
    """Decide tiers of locked members anew from an instant on: growth of then went, or came late (not ``lost``).

    What was posted before this is read, so it is written down; the tiers themselves the caller writes.
    """
    at, session = books.now, books.session
    policy = policy_at(at)
    rules: TierRules = policy.rules.tiers
    second = rules.tiers[min(1, len(rules.tiers) - 1)].at
    wanted = {
        customer_id: start
        for customer_id, start in since.items()
        if books.accounts[customer_id].rises or books.accounts[customer_id].growth >= second
    }
    if not wanted:
        return
    known, bought = histories(session, list(wanted)), purchases_since(session, wanted)
    changed = []
    for customer_id, history in known.items():
        account, purchases = books.accounts[customer_id], bought.get(customer_id, {})
        found = retrace(
            history.window.steps, history.steps, purchases, wanted[customer_id], policy_at, account.enrolled_at, lost
        )
        if found.gone or found.new:
            _rewrite(books, account, history, found, purchases, policy_at)
            changed.append(customer_id)
    if changed:
        books.write()
        known |= histories(session, changed)
    last = told(session, wanted)
    for customer_id, history in known.items():
        settle(books, books.accounts[customer_id], history, last.get(customer_id), policy, at, cause)


def _rewrite(
    books: Books,
    account: Account,
    history: History,
    found: Retraced,
    purchases: Mapping[datetime, str],
    policy_at: PolicyAt,
) -> None:
    """Record what a second look at the past changed: steps revoked, each with the tier without it, and new ones."""
    grants = [step for step in history.steps if step.kind == GRANTED]
    history.steps = [*found.standing, *grants]
    account.rises = len(history.steps)
    for void, left in found.gone:
        policy = policy_at(void.since)
        tier, clause = history.tier(account.enrolled_at, void.since, policy), policy.rules.tiers.clause
        revoked = ("revoked", tier.name, void.tier, void.since, None, left, None, void.id, policy.version, clause)
        books.retier(account, revoked)
    for step, previous, growth in found.new:
        policy = policy_at(step.since)
        rules: TierRules = policy.rules.tiers
        row = (
            BENEATH if domain.hides(grants, step, rules) else step.kind, step.tier, previous, step.since,
            step.kept_until, growth, purchases[step.since] if step.bought else None, None, policy.version,
            rules.named(step.tier).clause,
        )  # fmt: skip
        books.retier(account, row)


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
    locked = books.lock(customer_ids)  # without those who became part of another member meanwhile
    policy = context.policies.in_force()
    last = told(session, list(locked))
    if unrecorded := [one for one, account in locked.items() if not on_record(account, last.get(one))]:
        reconsider(books, dict.fromkeys(unrecorded, BEGINNING), context.policies.in_force, "review")
        books.write()
        last = told(session, list(locked))
    for customer_id, history in histories(session, list(locked)).items():
        account = books.accounts[customer_id]
        if account.tier_review_at is not None and account.tier_review_at <= now:
            settle(books, account, history, last.get(customer_id), policy, now, "review")
    books.write()
    return len(customer_ids) == STEP


def on_record(account: Account, last: Told | None) -> bool:
    """Whether the row has the tier that the recorded history ends with; a refund told late once left it out."""
    return account.tier_since is None if last is None else account.tier == last[0]


def settle(
    books: Books, account: Account, history: History, last: Told | None, policy: Policy, at: datetime, cause: str
) -> None:
    """Bring the account row and the recorded history, which ends with ``last``, to what is so now.

    Recorded is what the history does not say yet; announced what the row did not.
    """
    rules, company, enrolled_at = policy.rules.tiers, policy.company, account.enrolled_at
    before = account.tier
    tier = history.tier(enrolled_at, at, policy)
    growth = domain.counted(history.window, stretches(rules, at, enrolled_at, company))
    never_moved = account.tier_since is None
    said, since = last or (before if never_moved else rules.tiers[0].name, None)
    kept = _keeps(history, tier, at)
    if tier.name != said or (kept is not None and kept.id is None):
        _step(books, account, history, tier, said, growth, at, policy)
        kept, since = _keeps(history, tier, at), at
    grant = domain.grant_at(history.steps, at)
    account.tier, account.tier_since = tier.name, kept.since if kept is not None else since
    account.granted_until = grant.kept_until if grant is not None else None
    account.tier_kept_until = kept.kept_until if kept is not None else None
    account.tier_review_at = next_look(account, history, tier, at, policy)
    if tier.name != before:
        announce(books, account, before, growth, cause, policy, rules.clause)
    books.remember_tier(account)


def next_look(account: Account, history: History, tier: Tier, at: datetime, policy: Policy) -> datetime | None:
    """When a review has to look again at a member of ``tier``: it falls, a grant ends, or a period ends that rises."""
    rules, company, since = policy.rules.tiers, policy.company, account.enrolled_at
    grant = domain.grant_at(history.steps, at)
    looks = (
        domain.falls_at(history.window, history.steps, tier, at, rules, company, since),
        grant.kept_until if grant is not None else None,
        domain.review_due(history.window, tier, at, rules, company, since),
    )
    return min((look for look in looks if look is not None), default=None)


def _step(
    books: Books, account: Account, history: History, tier: Tier, said: str, growth: int, at: datetime, policy: Policy
) -> None:
    """A step of the history for a tier that is another one now than it ``said``, or that is kept and not recorded yet.

    Up: reached without a purchase that says so (late growth, or a pack that rises at period end). Down: where the pack
    lands softly, the level below is kept for a period of its own.
    """
    rules: TierRules = policy.rules.tiers
    fell = tier.at < rules.named(said).at
    kept = _keeps(history, tier, at)
    until = None
    if not fell and kept is None:
        until = kept_until(rules, at, account.enrolled_at, policy.company)
    elif fell and rules.falls == ONE_LEVEL and kept is None and growth < tier.at:
        until = kept_until(rules, at, account.enrolled_at, policy.company, landed=True)
    if until is not None:
        history.steps.append(Rise(tier.name, at, until, kind=LANDING if fell else RISE))
    elif kept is not None and kept.id is None:
        until = kept.kept_until
    if until is not None:
        account.rises += 1
    row = (
        LANDING if fell else RISE, tier.name, said, at, until, growth, None, None, policy.version, rules.clause,
    )  # fmt: skip
    books.retier(account, row)


def _keeps(history: History, tier: Tier, at: datetime) -> Rise | None:
    """The step that keeps exactly this tier at ``at``."""
    for step in (domain.grant_at(history.steps, at), domain.last_earned(history.steps, at)):
        if step is not None and step.tier == tier.name and at < step.kept_until:
            return step
    return None
