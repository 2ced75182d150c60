"""Settle the periods that ended: each dealer once, by level and by what they bought (LQ-05).

The level is the registry's word when a period is settled; the rules are those of the version in force at its end.
What is told of a settled period afterwards, late purchases and refunds, changes its rebate no more.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from hashlib import sha256
from typing import Any
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from chassis.ids import uuid7_texts
from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.campaigns.domain import NOBODY, Profile
from loyalty.campaigns.listing import IN_SEGMENT, facts_of
from loyalty.campaigns.tables import MemberProfile
from loyalty.earning.terms import Terms
from loyalty.grants.crediting import Credit, announce_earned, credit
from loyalty.ledger.books import Books
from loyalty.ledger.statements import array, cursor
from loyalty.policy.rebates import Rebates
from loyalty.rebates.domain import (
    INSTANT,
    PERIODS,
    Period,
    Worth,
    due_at,
    level_of,
    next_bracket,
    period_of,
    periods_due,
    rebate,
    segment_of,
)
from loyalty.rebates.tables import Rebate, SettledPeriod

STEP = 500
_UNSETTLED = f"""
    SELECT m.customer_id::text {IN_SEGMENT}
      AND NOT EXISTS (SELECT FROM rebate r WHERE r.member_id = m.customer_id AND r.period = %(period)s)
      AND (m.enrolled_at < %(until)s OR EXISTS (
          SELECT FROM transaction t WHERE t.member_id = m.customer_id AND t.growth_available IS NOT NULL
              AND t.effective_at >= %(since)s AND t.effective_at < %(until)s))
    ORDER BY m.customer_id LIMIT %(step)s
"""  # noqa: S608 - constants of this service
_LOCKED = _UNSETTLED + " FOR UPDATE OF m SKIP LOCKED"
# A refund counts from its purchase on; what a merge carried counts from where it was earned.
_BOUGHT = """
    SELECT member_id::text, sum(growth_available)::bigint FROM transaction
    WHERE member_id = ANY(%s::uuid[]) AND growth_available IS NOT NULL AND effective_at >= %s AND effective_at < %s
      AND kind IN ('purchase', 'refund', 'void', 'merge', 'unmerge')
    GROUP BY 1
"""


def settle_rebates(context: Context) -> bool:
    """Schedule step: dealers of a period whose time has come; True while there may be more."""
    session, in_force = context.session, context.policies.in_force

    def rules_at(instant: datetime) -> Rebates | None:
        found: Rebates | None = in_force(instant).rules.rebates
        return found

    for every in PERIODS:
        settled = select(func.max(SettledPeriod.until)).where(SettledPeriod.every == every)
        company, now = in_force().company, context.clock.now()
        for period in periods_due(now, session.scalar(settled), every, company, rules_at):
            ground = in_force(period.until - INSTANT)
            if dealers := _dealers(session, ground.rules.rebates, period, _LOCKED, STEP):
                _settle(session, dealers, ground.rules.rebates, period, ground)
                return True
            if _dealers(session, ground.rules.rebates, period, _UNSETTLED, 1):
                return False  # somebody has them locked: left to the next run
            session.add(SettledPeriod(period=period.name, every=every, until=period.until, closed_at=now))
            session.flush()
    return False


def current_rebate(session: Session, customer_id: UUID, policy: Policy) -> dict[str, Any]:
    """What the running period would come to if it ended now, and what is missing to more; no effect."""
    rules: Rebates = policy.rules.rebates
    now = session.info["clock"].now()
    period = period_of(now, rules.every, policy.company)
    level = level_of(_profiles(session, [str(customer_id)]).get(str(customer_id), NOBODY), rules)
    bought = max(_bought(session, [str(customer_id)], period).get(str(customer_id), 0), 0)
    found = {
        "period": period.name, "from": period.since, "until": period.until, "unit": rules.unit, "bought": bought,
        "paid_from": due_at(period, rules, policy.company), "clause": rules.clause, "policyversion": policy.version,
    }  # fmt: skip
    if level is None:
        return {**found, "level": None, "points": 0, "next": None, "breakdown": []}
    worth, above = rebate(bought, level, rules, policy.rules.redemption), next_bracket(bought, level)
    missing = None if above is None else {"at": above.at, "missing": above.at - bought}
    return {
        **found, "level": level.name, "points": worth.points, "next": missing, "breakdown": worth.breakdown,
        "clause": level.clause,
    }  # fmt: skip


def _dealers(session: Session, rules: Rebates, period: Period, statement: str, step: int) -> list[str]:
    """Members of some level who are not settled yet; with ``_LOCKED`` their accounts are locked.

    Who registered after the period is among them if what they bought in it has found them since.
    """
    for level in rules.levels:
        with cursor(session) as found:
            found.execute(
                statement,
                {
                    **facts_of(segment_of(level)), "period": period.name, "since": period.since,
                    "until": period.until, "step": step,
                },
            )  # fmt: skip
            if dealers := [row[0] for row in found.fetchall()]:
                return dealers
    return []


def _settle(session: Session, dealers: Sequence[str], rules: Rebates, period: Period, ground: Policy) -> None:
    books = Books(session)
    accounts = books.lock(dealers)
    profiles, bought = _profiles(session, dealers), _bought(session, dealers, period)
    terms = Terms(ground)
    settled: list[tuple[str, str, Worth, Rebate]] = []
    for dealer, id_ in zip(dealers, uuid7_texts(books.now, len(dealers)), strict=True):
        level = level_of(profiles.get(dealer, NOBODY), rules)
        if level is None or dealer not in accounts:
            continue  # the registry has changed its word since they were found
        amount = max(bought.get(dealer, 0), 0)
        worth = rebate(amount, level, rules, ground.rules.redemption)
        row = Rebate(
            member_id=UUID(dealer), period=period.name, since=period.since, until=period.until, level=level.name,
            bought=amount, unit=rules.unit, points=worth.points, breakdown=worth.breakdown,
            transaction_id=UUID(id_) if worth.points else None, settled_at=books.now, clause=level.clause,
            policyversion=ground.version,
        )  # fmt: skip
        settled.append((dealer, id_, worth, row))
    paid = [one for one in settled if one[2].points]
    keys = [(_key(row), _content(row), dealer, id_) for dealer, id_, _, row in paid]
    if len(books.claim(keys)) < len(keys):
        raise RuntimeError(f"a rebate of {period.name} was booked already without its row")
    for dealer, id_, worth, row in paid:
        given = Credit(
            kind="rebate", key=_key(row), points=worth.points, occurred_at=books.now, clause=row.clause,
            reason=f"rebate {period.name}", steps=worth.breakdown,
            detail={"period": period.name, "level": row.level, "bought": row.bought, "unit": row.unit},
        )  # fmt: skip
        lotted = credit(books, accounts[dealer], id_, given, terms)
        announce_earned(books, accounts[dealer], id_, given, lotted, terms)
    books.write()
    session.add_all(row for *_, row in settled)
    session.flush()


def _key(row: Rebate) -> str:
    return f"rebate:{row.member_id}:{row.period}"


def _content(row: Rebate) -> str:
    return sha256(f"{row.member_id} {row.period} {row.points}".encode()).hexdigest()


def _profiles(session: Session, customer_ids: Iterable[str]) -> dict[str, Profile]:
    wanted = select(MemberProfile).where(MemberProfile.customer_id.in_([UUID(id_) for id_ in customer_ids]))
    return {
        str(each.customer_id): Profile(each.grade, each.classes, frozenset(each.tags))
        for each in session.scalars(wanted)
    }


def _bought(session: Session, customer_ids: Iterable[str], period: Period) -> dict[str, int]:
    with cursor(session) as found:
        found.execute(_BOUGHT, (array(customer_ids), period.since, period.until))
        return dict(found.fetchall())
