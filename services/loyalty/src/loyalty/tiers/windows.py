"""The growth windows of many members at once, read only as far as the account rows leave open.

An account row knows how much growth lies before ``growth_from``, and between which instants the rest of it lies. While
nothing leaves the window and nothing comes in late, the sum is on the row and no query is needed.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from datetime import datetime

from sqlalchemy.orm import Session

from loyalty.ledger.domain import Account
from loyalty.ledger.statements import array, cursor, instants
from loyalty.tiers.domain import INSTANT, GrowthWindow, Rise

# (member, at, amount); a row without amount is the first one that stays in the window: the row's new edge.
_STEPS = """
    SELECT w.id::text, e.effective_at, e.growth_available FROM unnest(%(ids)s::uuid[], %(oldest)s::timestamptz[],
        %(leaving)s::timestamptz[], %(late)s::timestamptz[]) AS w (id, oldest, leaving, late)
    JOIN transaction e ON e.member_id = w.id AND e.growth_available IS NOT NULL
        AND e.effective_at >= w.oldest AND e.effective_at <= w.leaving
    UNION ALL
    SELECT w.id::text, e.effective_at, e.growth_available
    FROM unnest(%(ids)s::uuid[], %(late)s::timestamptz[]) AS w (id, late)
    JOIN transaction e ON e.member_id = w.id AND e.growth_available IS NOT NULL AND e.effective_at >= w.late
    UNION ALL
    SELECT w.id::text, first.effective_at, NULL
    FROM unnest(%(ids)s::uuid[], %(leaving)s::timestamptz[]) AS w (id, leaving),
    LATERAL (SELECT e.effective_at FROM transaction e WHERE e.member_id = w.id AND e.growth_available IS NOT NULL
             AND e.effective_at > w.leaving ORDER BY e.effective_at LIMIT 1) AS first
"""
_ALL = """
    SELECT member_id::text, effective_at, growth_available FROM transaction
    WHERE member_id = ANY(%s::uuid[]) AND growth_available IS NOT NULL
"""
_SINCE = """
    SELECT w.id::text, e.effective_at, e.growth_available
    FROM unnest(%s::uuid[], %s::timestamptz[]) AS w (id, start)
    JOIN transaction e ON e.member_id = w.id AND e.growth_available IS NOT NULL AND e.effective_at >= w.start
"""
_RISES = """
    SELECT member_id::text, tier, since, kept_until, id, kind, transaction_id IS NOT NULL FROM tier_change t
    WHERE member_id = ANY(%s::uuid[]) AND kind IN ('rise', 'fall', 'granted', 'beneath') AND kept_until IS NOT NULL
      AND NOT EXISTS (SELECT FROM tier_change r WHERE r.member_id = t.member_id AND r.revokes = t.id)
    ORDER BY since, id
"""
# Growth that a purchase brought, by the instant it counts from; carried from another member's books it is one still.
_BOUGHT = """
    SELECT w.id::text, e.effective_at, (array_agg(e.id::text ORDER BY e.id)
        FILTER (WHERE e.kind IN ('purchase', 'merge', 'unmerge') AND e.growth_available > 0))[1]
    FROM unnest(%s::uuid[], %s::timestamptz[]) AS w (id, start)
    JOIN transaction e ON e.member_id = w.id AND e.growth_available IS NOT NULL AND e.effective_at >= w.start
    GROUP BY w.id, e.effective_at HAVING sum(e.growth_available) > 0
"""
# What a history shows of a step ``c``: neither what a grant hid, nor what was undone as if it had never been, nor the
# undoing of those. A grant withdrawn was the tier until then. `tier_migration` reads the history the same way.
ON_RECORD = """
    c.kind <> 'beneath' AND NOT EXISTS (
        SELECT FROM tier_change o WHERE o.member_id = c.member_id AND (
            (o.revokes = c.id AND o.since <= c.since)
            OR (o.id = c.revokes AND (o.kind = 'beneath' OR o.since >= c.since))))
"""
_TOLD = (
    "SELECT DISTINCT ON (c.member_id) c.member_id::text, c.tier, c.since FROM tier_change c"  # noqa: S608 - as above
    f" WHERE c.member_id = ANY(%s::uuid[]) AND {ON_RECORD} ORDER BY c.member_id, c.since DESC, c.id DESC"
)
Told = tuple[str, datetime]  # a tier, and since when
Span = tuple[datetime, datetime, datetime]  # first start of a window asked about, last start, first end


def windows(
    session: Session, spans: Mapping[str, Span], accounts: Mapping[str, Account], by_years: Collection[str] = ()
) -> dict[str, GrowthWindow]:
    """A window per member that answers for every instant of its span. Accounts are locked; their edges move on.

    Members of ``by_years`` are measured over several stretches, each alone, which no sum on a row can tell apart:
    theirs is all growth since the first.
    """
    found = {customer_id: GrowthWindow() for customer_id in by_years}
    if by_years:
        for customer_id, steps in growth_since(session, {one: spans[one][0] for one in by_years}).items():
            found[customer_id].steps = steps
    open_: dict[str, Span] = {}
    for customer_id, (first, last, end) in spans.items():
        if customer_id in by_years:
            continue
        account = accounts[customer_id]
        found[customer_id] = GrowthWindow(account.growth - account.growth_before)
        nothing_leaves = account.growth_first is None or account.growth_first > last
        nothing_late = account.growth_until is None or account.growth_until < end
        nothing_old = account.growth_from is None or account.growth_from <= first
        if not (nothing_leaves and nothing_late and nothing_old):
            oldest = first if account.growth_first is None else min(first, account.growth_first)
            leaving = last if account.growth_from is None else max(last, account.growth_from - INSTANT)
            open_[customer_id] = (oldest, leaving, max(end, leaving + INSTANT))
    if open_:
        _read(session, open_, {customer_id: spans[customer_id][1] for customer_id in open_}, accounts, found)
    return found


def _read(
    session: Session,
    spans: Mapping[str, Span],
    lasts: Mapping[str, datetime],
    accounts: Mapping[str, Account],
    found: dict[str, GrowthWindow],
) -> None:
    """Read growth that leaves, that came late, and that had left already where a late purchase looks back at it."""
    arguments = {
        "ids": array(spans),
        "oldest": instants(span[0] for span in spans.values()),
        "leaving": instants(span[1] for span in spans.values()),
        "late": instants(span[2] for span in spans.values()),
    }
    left: dict[str, int] = dict.fromkeys(spans, 0)
    edges: dict[str, datetime] = {}
    with cursor(session) as rows:
        rows.execute(_STEPS, arguments)
        for customer_id, at, amount in rows:
            if amount is None:
                edges[customer_id] = at
                continue
            window, account = found[customer_id], accounts[customer_id]
            window.steps.append((at, amount))
            if account.growth_from is None or at >= account.growth_from:
                window.always -= amount
                if at <= lasts[customer_id]:
                    left[customer_id] += amount
    for customer_id, last in lasts.items():
        account = accounts[customer_id]
        if account.growth_from is None or account.growth_from <= last:
            account.growth_before += left[customer_id]
            account.growth_from = last + INSTANT
            account.growth_first = edges.get(customer_id)


def count_growth(account: Account, at: datetime, amount: int) -> None:
    """Growth value that counts from ``at`` on, into the account row."""
    account.growth += amount
    if account.growth_from is not None and at < account.growth_from:
        account.growth_before += amount
    elif account.growth_first is None or at < account.growth_first:
        account.growth_first = at
    if account.growth_until is None or at > account.growth_until:
        account.growth_until = at


def growth_steps(session: Session, customer_ids: Iterable[str]) -> dict[str, list[tuple[datetime, int]]]:
    """All growth of some members, step by step."""
    steps: dict[str, list[tuple[datetime, int]]] = {}
    with cursor(session) as rows:
        rows.execute(_ALL, (array(customer_ids),))
        for customer_id, at, amount in rows:
            steps.setdefault(customer_id, []).append((at, amount))
    return steps


def growth_since(session: Session, starts: Mapping[str, datetime]) -> dict[str, list[tuple[datetime, int]]]:
    """The growth of some members from an instant of their own on, step by step."""
    steps: dict[str, list[tuple[datetime, int]]] = {}
    with cursor(session) as rows:
        rows.execute(_SINCE, (array(starts), instants(starts.values())))
        for customer_id, at, amount in rows:
            steps.setdefault(customer_id, []).append((at, amount))
    return steps


def rises(session: Session, customer_ids: Iterable[str]) -> dict[str, list[Rise]]:
    """The steps that are kept, of some members, oldest first: rises, soft landings and grants that stand."""
    wanted = array(customer_ids)
    found: dict[str, list[Rise]] = {}
    if wanted != "{}":
        with cursor(session) as rows:
            rows.execute(_RISES, (wanted,))
            for customer_id, *step in rows:
                found.setdefault(customer_id, []).append(Rise(*step))
    return found


def rises_for(
    session: Session, earliest: Mapping[str, datetime], accounts: Mapping[str, Account]
) -> dict[str, list[Rise]]:
    """The rises that matter from ``earliest`` on: mostly the last one, which is on the account row."""
    found: dict[str, list[Rise]] = {}
    late = []
    for customer_id, at in earliest.items():
        account = accounts[customer_id]
        if not account.rises:
            continue
        since, until = account.tier_since, account.tier_kept_until
        if account.granted_until is None and since is not None and until is not None and at >= since:
            found[customer_id] = [Rise(account.tier, since, until)]
        else:
            late.append(customer_id)
    return found | rises(session, late)


def purchases_since(session: Session, starts: Mapping[str, datetime]) -> dict[str, dict[datetime, str]]:
    """Instants of purchases that count for tiers, of some members from an instant of their own on.

    Each with the transaction of the first purchase then.
    """
    found: dict[str, dict[datetime, str]] = {}
    with cursor(session) as rows:
        rows.execute(_BOUGHT, (array(starts), instants(starts.values())))
        for customer_id, at, transaction_id in rows:
            if transaction_id is not None:
                found.setdefault(customer_id, {})[at] = transaction_id
    return found


def told(session: Session, customer_ids: Iterable[str]) -> dict[str, Told]:
    """The tier that the recorded history of some members ends with; none of whom has no history."""
    with cursor(session) as rows:
        rows.execute(_TOLD, (array(customer_ids),))
        return {customer_id: (tier, since) for customer_id, tier, since in rows}
