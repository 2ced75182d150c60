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
from loyalty.fraud.use_cases import unblock
from loyalty.ledger.statements import array, cursor
from loyalty.members.domain import CustomerState, takes_part
from loyalty.members.identities import led_here, link, own_name
from loyalty.members.particulars import keep_contacts, keep_lunar_birthdays
from loyalty.members.profiles import keep_profiles
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
    leads = led_here(session, [state.customer_id for state in new])
    names_of = {
        state.customer_id: [*state.names, own_name(state.customer_id)]
        for state in new
        if state.customer_id not in leads  # whoever is part of another has no name of their own
    }
    for absorbed, survivor in leads.items():
        if survivor in names_of:
            names_of[survivor].append(own_name(absorbed))
    link(session, names_of)
    enrolled = _keep(session, new, rules.tiers.tiers[0].name)
    keep_profiles(session, new)
    keep_contacts(session, new)
    keep_lunar_birthdays(session, new)
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
