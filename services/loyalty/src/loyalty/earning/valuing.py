"""The hot path: many purchases of locked members become points, growth value, lots, tiers and events in memory.

Nothing here asks the database once per purchase. What a member's window and rises hold is loaded for the batch, and
only for members whose growth can reach a tier at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import orjson

from chassis.ids import uuid7_texts
from chassis.runtime import Context
from chassis.storage import wire
from loyalty.campaigns.running import Running
from loyalty.earning.caps import Caps
from loyalty.earning.domain import Gift, Purchase, Taken, Worth, birthday_due, value
from loyalty.earning.terms import Terms
from loyalty.fraud.domain import Doubt
from loyalty.fraud.limits import Limits
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, credit_available
from loyalty.ledger.legs import earned_legs
from loyalty.policy.rules import ROLLING, Tier
from loyalty.tiers.domain import GrowthWindow, Rise, tier_at
from loyalty.tiers.use_cases import rise_by_growth
from loyalty.tiers.windows import Span, count_growth, rises_for, windows


def earn(context: Context, books: Books, taken: Sequence[Taken]) -> dict[str, datetime]:
    """Value purchases in the order given and post them; their members are locked in ``books``.

    Returns who bought before something that is decided already, and when: their tiers are to be reconsidered.
    """
    late: dict[str, datetime] = {}
    if not taken:
        return late
    terms = _terms(context, taken)
    candidates, known_rises = _tier_facts(books, taken, terms)
    birthdays = _birthdays(books, taken, terms)
    caps = Caps.load(books.session, taken, terms)
    limits = Limits.load(books.session, taken, terms)
    born = {customer_id: books.accounts[customer_id].birthday for _, customer_id, _ in taken}
    campaigns = Running.load(books.session, taken, terms, born)  # last: their budgets are locked
    for purchase, customer_id, transaction_id in taken:
        account = books.accounts[customer_id]
        term = terms[purchase.purchase_id]
        rules = term.rules
        window = candidates.get(customer_id)
        if window is None:
            tier = term.first_tier
        else:
            rises = known_rises.setdefault(customer_id, [])
            spans = term.stretches(purchase.occurred_at, account.enrolled_at)
            tier = tier_at(window, rises, spans, purchase.occurred_at, rules.tiers)
        birthday = rules.birthday if purchase.purchase_id in birthdays else None
        offers = campaigns.offers(purchase, customer_id, tier.name) if campaigns.found else ()
        worth = value(purchase, rules.earning, tier, birthday, caps.room(purchase, customer_id, term), offers)
        caps.count(purchase, customer_id, term, worth.points)
        campaigns.count(purchase, customer_id, offers, worth)
        doubt = limits.doubt(purchase, account, term, worth.points)
        if doubt is not None and worth.points:
            limits.open(purchase, customer_id, transaction_id, worth.points, doubt, term)
        if window is not None and _is_late(account, purchase.occurred_at):
            late[customer_id] = min(late.get(customer_id, purchase.occurred_at), purchase.occurred_at)
        _post(books, account, purchase, transaction_id, term, tier, worth, doubt)
        if window is not None and worth.growth:
            window.add(purchase.occurred_at, worth.growth)
            rise_by_growth(books, account, window, rises, spans, purchase.occurred_at, transaction_id, term.policy)
    limits.write()
    campaigns.write()
    return late


def _is_late(account: Account, at: datetime) -> bool:
    """Whether growth or a tier of a later instant is on the row already."""
    return (account.growth_until is not None and at < account.growth_until) or (
        account.tier_since is not None and at < account.tier_since
    )


def _post(
    books: Books,
    account: Account,
    purchase: Purchase,
    transaction_id: str,
    term: Terms,
    tier: Tier,
    worth: Worth,
    doubt: Doubt | None,
) -> None:
    """Transaction, legs, lots, balances and event of one valued purchase."""
    at = purchase.occurred_at
    available_at = term.available_at(at)
    lapse, expires_at = term.expires_at(at)
    points, growth = worth.points, worth.growth
    key = f"purchase:{purchase.purchase_id}"
    state = "blocked" if doubt is not None else "available" if available_at <= books.now else "pending"
    origin, when = wire.uuid(transaction_id), wire.instant(at)
    facts: dict[str, Any] = {"total": str(purchase.total), "currency": purchase.currency, "tier": tier.name}
    if points:
        dates = term.unit_cost + when + wire.instant(available_at) + lapse
        own = points
        if worth.gifts:
            facts["campaigns"] = _give(books, account, transaction_id, state, dates, worth.gifts)
            own -= sum(gift.points for gift in worth.gifts)
        if own:
            absorbed = _credit(account, state, own)
            books.lot_earned(account, origin, state, wire.integers(own, own - absorbed), dates)
            if absorbed:
                books.use(account.customer_id, transaction_id, transaction_id, absorbed)
    if growth:
        count_growth(account, at, growth)
    breakdown = orjson.Fragment(orjson.dumps(worth.breakdown))  # goes into the books and into the event
    if worth.weights:
        facts["weights"] = worth.weights
        if worth.uncounted:
            facts["uncounted"] = worth.uncounted
    facts["breakdown"] = breakdown
    legs = earned_legs(state, points, growth)
    books.post_earned(account, origin, key, when, legs, term.ground, orjson.dumps(facts))
    if points or growth:
        data = {
            "customer_id": account.customer_id,
            "transaction_id": transaction_id,
            "kind": "purchase",
            "points": points,
            "growth": growth,
            "state": state,
            "purchase_id": purchase.purchase_id,
            "reference": key,
            "occurred_at": at,
            "available_at": available_at,
            "expires_at": expires_at,
            "tier": tier.name,
            "breakdown": breakdown,
            "balance": account.balance,
        }
        books.announce("points.earned.v1", account, key, data, term.version)


def _credit(account: Account, state: str, points: int) -> int:
    """Points of a new lot into the purse; returns how many of them a deficit absorbs."""
    if state == "available":
        return credit_available(account, points)
    setattr(account, state, getattr(account, state) + points)
    return 0


def _give(
    books: Books, account: Account, transaction_id: str, state: str, dates: bytes, gifts: Sequence[Gift]
) -> list[dict[str, Any]]:
    """A lot for what each campaign gave; returns which, for the refund that may take it back."""
    given = []
    for gift, lot_id in zip(gifts, uuid7_texts(books.now, len(gifts)), strict=True):
        absorbed = _credit(account, state, gift.points)
        amounts = wire.integers(gift.points, gift.points - absorbed)
        books.lot_given(account, lot_id, wire.uuid(transaction_id), state, amounts, dates, gift.campaign)
        if absorbed:
            books.use(account.customer_id, lot_id, transaction_id, absorbed)
        given.append({"campaign": gift.campaign, "lot": lot_id, "points": gift.points})
    return given


def _terms(context: Context, taken: Sequence[Taken]) -> dict[str, Terms]:
    """The version in force when each purchase happened (decision 23)."""
    in_force = context.policies.in_force
    times = [purchase.occurred_at for purchase, _, _ in taken]
    first = in_force(min(times))
    made = {id(first): Terms(first)}
    if in_force(max(times)) is first:
        return dict.fromkeys([purchase.purchase_id for purchase, _, _ in taken], made[id(first)])
    found: dict[str, Terms] = {}
    for purchase, _, _ in taken:
        policy = in_force(purchase.occurred_at)
        found[purchase.purchase_id] = made.get(id(policy)) or made.setdefault(id(policy), Terms(policy))
    return found


def _tier_facts(
    books: Books, taken: Sequence[Taken], terms: dict[str, Terms]
) -> tuple[dict[str, GrowthWindow], dict[str, list[Rise]]]:
    """Windows and rises of the members who can stand above the first tier once this batch is valued."""
    potential: dict[str, int] = {}
    for purchase, customer_id, _ in taken:
        term = terms[purchase.purchase_id]
        rate = term.rules.earning.rates.get(purchase.currency, 1) * term.rules.earning.base["growth"]
        potential[customer_id] = potential.get(customer_id, 0) + max(int(purchase.total * rate) + 1, 0)
    spans: dict[str, Span] = {}
    earliest: dict[str, datetime] = {}
    by_years: set[str] = set()  # members whose windows do not roll
    for purchase, customer_id, _ in taken:
        term = terms[purchase.purchase_id]
        account = books.accounts[customer_id]
        threshold = term.second_threshold
        if not account.rises and (threshold is None or account.growth + potential[customer_id] < threshold):
            continue
        at = purchase.occurred_at
        if term.rules.tiers.period == ROLLING:
            start = term.window_start(at)
        else:
            start = term.stretches(at, account.enrolled_at)[-1][0]
            by_years.add(customer_id)
        before = spans.get(customer_id)
        if before is None:
            spans[customer_id] = (start, start, at)
            earliest[customer_id] = at
        else:
            spans[customer_id] = (min(before[0], start), max(before[1], start), min(before[2], at))
            earliest[customer_id] = min(earliest[customer_id], at)
    if not spans:
        return {}, {}
    return windows(books.session, spans, books.accounts, by_years), rises_for(books.session, earliest, books.accounts)


def _birthdays(books: Books, taken: Sequence[Taken], terms: dict[str, Terms]) -> set[str]:
    """Purchases to which the birthday rule gives its extra base: the first of the month, once a year and member."""
    due: set[str] = set()
    firsts: dict[str, tuple[str, str | None, str | None, str]] = {}
    for purchase, customer_id, transaction_id in taken:
        account, term = books.accounts[customer_id], terms[purchase.purchase_id]
        if account.birthday is None or term.rules.birthday is None or purchase.total <= 0:
            continue
        day = term.day(purchase.occurred_at)
        if not birthday_due(term.rules.birthday, account.birthday, day):  # type: ignore[arg-type]
            continue
        if term.rules.birthday.applies_to == "every purchase":
            due.add(purchase.purchase_id)
        else:
            key = f"birthday:{customer_id}:{day.year}"
            firsts.setdefault(key, (purchase.content, customer_id, transaction_id, purchase.purchase_id))
    claimed = books.claim([(key, content, member, id_) for key, (content, member, id_, _) in firsts.items()])
    return due | {firsts[key][3] for key in claimed}
