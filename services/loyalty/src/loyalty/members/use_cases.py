"""Follow the registry: enrol at registration, keep names, birthdays and standing, value what waited (CG-22, CG-23)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from chassis.errors import NotFound
from chassis.messaging import outbox
from chassis.messaging.event import Event
from chassis.runtime import Context
from loyalty.earning.use_cases import apply_waiting
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot, credit_available
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor, transaction_ids
from loyalty.members.domain import CustomerState, takes_part
from loyalty.members.identities import link, own_name
from loyalty.members.tables import Member
from loyalty.policy.rules import LoyaltyPolicy

# Descriptions of one customer must not overtake each other between reading its version and linking its names.
_ONE_AT_A_TIME = "SELECT pg_advisory_xact_lock(7236835621)"
_KNOWN = "SELECT customer_id::text, version, earns_blocked FROM member WHERE customer_id = ANY(%s::uuid[])"
_KEEP = """
    INSERT INTO member (customer_id, code, status, enrolled_at, version, birthday, unit, earns_blocked, tier)
    SELECT n.id, n.code, n.status, %s, n.version, n.birthday, n.unit, n.blocked, %s
    FROM unnest(%s::uuid[], %s::text[], %s::text[], %s::bigint[], %s::date[], %s::text[], %s::bool[])
        AS n (id, code, status, version, birthday, unit, blocked) ORDER BY n.id
    ON CONFLICT (customer_id) DO UPDATE SET code = excluded.code, status = excluded.status,
        version = excluded.version, birthday = excluded.birthday, unit = excluded.unit,
        earns_blocked = excluded.earns_blocked
    RETURNING customer_id::text, xmax = 0
"""


def follow_customers(context: Context, states: Sequence[CustomerState]) -> None:
    """Apply the newest description of each customer; older ones change nothing."""
    session = context.session
    policy = context.policies.in_force()
    rules: LoyaltyPolicy = policy.rules
    newest: dict[str, CustomerState] = {}
    for state in states:
        before = newest.get(state.customer_id)
        if before is None or state.version > before.version:
            newest[state.customer_id] = state
    with cursor(session) as rows:
        rows.execute(_ONE_AT_A_TIME)
        rows.execute(_KNOWN, (array(newest),))
        known = {customer_id: (version, blocked) for customer_id, version, blocked in rows.fetchall()}
    new = [
        state
        for state in newest.values()
        if (
            state.version > known[state.customer_id][0]
            if state.customer_id in known
            else takes_part(state, rules.participation)
        )
    ]
    if not new:
        return
    names_of: dict[str, list[str]] = {}
    for state in new:
        names_of.setdefault(state.customer_id, []).extend(state.names)
        names_of.setdefault(state.merged_into or state.customer_id, []).append(own_name(state.customer_id))
    link(session, names_of)
    enrolled = _keep(session, new, rules.tiers.tiers[0].name)
    _announce(session, [state for state in new if state.customer_id in enrolled], context, rules)
    cleared = [s.customer_id for s in new if s.customer_id in known and known[s.customer_id][1] and not s.earns_blocked]
    if cleared:
        unblock(context, cleared)
    apply_waiting(context, [name for names in names_of.values() for name in names])


def _keep(session: Session, states: Sequence[CustomerState], first_tier: str) -> set[str]:
    """Write the member rows; returns who is new."""
    with cursor(session) as rows:
        rows.execute(
            _KEEP,
            (
                session.info["clock"].now(),
                first_tier,
                array(state.customer_id for state in states),
                [state.code for state in states],
                [state.status for state in states],
                array(state.version for state in states),
                [state.birthday for state in states],
                [state.unit for state in states],
                [state.earns_blocked for state in states],
            ),
        )
        return {customer_id for customer_id, inserted in rows.fetchall() if inserted}


def _announce(session: Session, states: Iterable[CustomerState], context: Context, rules: LoyaltyPolicy) -> None:
    policy, now = context.policies.in_force(), context.clock.now().isoformat()
    outbox.record(
        session,
        [
            _enrolled(
                session, state.customer_id, now, rules.tiers.tiers[0].name, rules.participation.clause, policy.version
            )
            for state in states
        ],
    )


def _enrolled(session: Session, customer_id: str, at: str, tier: str, clause: str | None, version: str | None) -> Event:
    data: dict[str, Any] = {
        "customer_id": customer_id, "enrolled_at": at, "tier": tier, "automatic": True, "clause": clause,
    }  # fmt: skip
    return outbox.draft(
        session, "member.enrolled.v1", subject=customer_id, data=data, key=f"enrolled:{customer_id}",
        partitionkey=customer_id, policyversion=version,
    )  # fmt: skip


def unblock(context: Context, customer_ids: Sequence[str]) -> None:
    """A member is cleared: what was earned under review becomes pending, or available where its time has come."""
    books = Books(context.session)
    books.lock(customer_ids)
    policy = context.policies.in_force()
    blocked = [lot for lot in books.lots(customer_ids) if lot.state == "blocked"]
    ids = transaction_ids(books.now, len(blocked))
    for lot, id_ in zip(blocked, ids, strict=True):
        _clear(books, books.accounts[lot.member_id], lot, id_, policy.version, policy.rules.participation.clause)
    books.write()


def _clear(books: Books, account: Account, lot: OpenLot, id_: str, version: str, clause: str) -> None:
    points = lot.remaining
    account.blocked -= points
    if lot.available_at > books.now:
        lot.state = "pending"
        account.pending += points
    else:
        lot.state = "available"
        if absorbed := credit_available(account, points):
            lot.remaining -= absorbed
            books.use(lot.member_id, lot.id, id_, absorbed)
    books.post(
        account, id_, "unblock", f"unblock:{lot.id}:{id_}", books.now, legs({"blocked": -points, lot.state: points}),
        policyversion=version, clause=clause, reference=f"lot:{lot.id}", reason="cleared",
    )  # fmt: skip
    books.change(lot)


def the_member(session: Session, customer_id: Any) -> Member:
    """The member row of a customer. Raises NotFound for a customer unknown here (decision 28)."""
    member = session.get(Member, customer_id)
    if member is None:
        raise NotFound(f"no member with customer id {customer_id}")
    return member


def snapshot(session: Session) -> Iterator[list[Event]]:
    """Every member's state as events, page by page, for a service that was deployed later (decision 9)."""
    last = None
    while True:
        page = select(Member).order_by(Member.customer_id).limit(500)
        members = session.scalars(page if last is None else page.where(Member.customer_id > last)).all()
        if not members:
            return
        yield [event for member in members for event in _state_of(session, member)]
        last = members[-1].customer_id
        session.expunge_all()


def _state_of(session: Session, member: Member) -> Iterator[Event]:
    customer_id = str(member.customer_id)
    yield _enrolled(session, customer_id, member.enrolled_at.isoformat(), member.tier, None, None)
    if member.sequence:
        data = {
            "customer_id": customer_id,
            "tier": member.tier,
            "previous": None,
            "since": (member.tier_since or member.enrolled_at).isoformat(),
            "kept_until": member.tier_kept_until.isoformat() if member.tier_kept_until else None,
            "cause": "snapshot",
        }
        yield outbox.draft(
            session, "tier.changed.v1", subject=customer_id, data=data, key=f"tier:{customer_id}:{member.sequence}",
            partitionkey=customer_id, sequence=member.sequence,
        )  # fmt: skip
