"""What a birthday is given, once a year: on the day by a schedule, or to the guest who stays on it (CG-24, HT-02).

Given once, a birthday is locked: whoever has it changed afterwards gets nothing before the next year's, and neither
does the member whom they become by merging.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from hashlib import sha256
from typing import Any
from uuid import UUID

from chassis.ids import derived_text, uuid7_texts
from chassis.policies.book import Policy
from chassis.policies.vocabulary.predicates import celebrated
from chassis.runtime import Context
from chassis.timing.lunar import kept_on, lunar_day
from loyalty.earning.terms import Terms
from loyalty.grants.crediting import Credit, announce_earned, credit
from loyalty.grants.tables import BirthdayGrant as Given
from loyalty.ledger.books import PRODUCER, Books
from loyalty.ledger.domain import Account
from loyalty.ledger.statements import array, cursor
from loyalty.policy.birthdays import LUNAR, ON_THE_DAY, SOLAR, STAYING, BirthdayGrant

STEP = 500
LOOKING_BACK = 3  # days, today among them: a worker that was away misses nobody
LOCKED = timedelta(days=330)  # lunar birthdays follow each other after 353 days at least
LONGEST_STAY = 60  # days

_SOLAR = """
    SELECT m.customer_id FROM member m
    WHERE extract(month FROM m.birthday) = %(month)s AND extract(day FROM m.birthday) = ANY(%(days)s)
      AND (NOT %(lunar)s OR NOT EXISTS (SELECT FROM lunar_birthday l WHERE l.customer_id = m.customer_id))
"""
_LUNAR = """
    SELECT l.customer_id FROM lunar_birthday l
    JOIN unnest(%(months)s::int[], %(lunar_days)s::int[], %(leaps)s::bool[]) AS n (month, day, leap)
        ON l.month = n.month AND l.day = n.day AND l.leap = n.leap
"""
_LOCKED_MEMBERS = """
    SELECT m.customer_id::text FROM member m
    WHERE m.customer_id IN ({}) AND m.status = 'active' AND m.enrolled_at < %(ended)s
      AND NOT (m.earns_blocked AND %(benefit)s)
      AND NOT EXISTS (SELECT FROM birthday_grant g WHERE g.granted_on > %(since)s AND (g.member_id = m.customer_id
          OR g.member_id IN (SELECT a.customer_id FROM member a WHERE a.merged_into = m.customer_id)))
    ORDER BY m.customer_id LIMIT %(step)s FOR UPDATE OF m SKIP LOCKED
"""
_KEPT = """
    SELECT m.birthday, l.month, l.day, l.leap,
        EXISTS (SELECT FROM birthday_grant g WHERE g.granted_on > %s AND (g.member_id = m.customer_id
            OR g.member_id IN (SELECT a.customer_id FROM member a WHERE a.merged_into = m.customer_id)))
    FROM member m LEFT JOIN lunar_birthday l ON l.customer_id = m.customer_id
    WHERE m.customer_id = %s AND m.status = 'active'
"""


@dataclass(frozen=True, slots=True)
class _Occasion:
    """A birthday that comes round: on which day, in which year of its calendar."""

    day: date
    year: int


def grant_birthdays(context: Context) -> bool:
    """Schedule step: members whose birthday is today, or was in the last days; True while more are to be given."""
    policy = context.policies.in_force()
    rule: BirthdayGrant | None = policy.rules.birthday_grant
    if rule is None or rule.when != ON_THE_DAY:
        return False
    today = policy.company.day_of(context.clock.now())
    more = False
    for day in (today - timedelta(days=back) for back in range(LOOKING_BACK)):
        for calendar in rule.calendars:
            more |= _grant_all(context, rule, policy, day, calendar)
    return more


def grant_staying(context: Context, member: str, first: date, last: date) -> None:
    """A guest has come to stay from ``first`` to ``last``: where one of these days is the birthday, it is given now."""
    policy = context.policies.in_force()
    rule: BirthdayGrant | None = policy.rules.birthday_grant
    if rule is None or rule.when != STAYING:
        return
    books = Books(context.session)
    account = books.lock([member]).get(member)
    if account is None or (account.earns_blocked and rule.benefit):
        return
    with cursor(context.session) as rows:
        rows.execute(_KEPT, (_since(policy.company.day_of(books.now)), member))
        kept = rows.fetchone()
    if kept is None or kept[4]:
        return
    days = [first + timedelta(days=n) for n in range(min((last - first).days + 1, LONGEST_STAY))]
    occasion = next((one for one in (_occasion(rule, kept, day) for day in days) if one is not None), None)
    if occasion is not None:
        _grant(context, books, account, occasion, rule, policy)
        books.write()


def _grant_all(context: Context, rule: BirthdayGrant, policy: Policy, day: date, calendar: str) -> bool:
    books = Books(context.session)
    facts: dict[str, Any] = {
        "ended": policy.company.end_of(day),
        "benefit": rule.benefit is not None,
        "since": _since(policy.company.day_of(books.now)),
        "step": STEP,
        **(_solar(day, LUNAR in rule.calendars) if calendar == SOLAR else _lunar(day)),
    }
    with cursor(context.session) as rows:
        rows.execute(_LOCKED_MEMBERS.format(_SOLAR if calendar == SOLAR else _LUNAR), facts)
        members = [member for (member,) in rows.fetchall()]
    if not members:
        return False
    occasion = _Occasion(day, day.year if calendar == SOLAR else lunar_day(day).year)
    for member, account in books.lock(members).items():
        if member in members:
            _grant(context, books, account, occasion, rule, policy)
    books.write()
    return len(members) == STEP


def _grant(
    context: Context, books: Books, account: Account, occasion: _Occasion, rule: BirthdayGrant, policy: Policy
) -> None:
    """Give it, unless this birthday was given something: the key has one effect for ever."""
    member = account.customer_id
    key = f"birthday-grant:{member}:{occasion.year}"
    (id_,) = uuid7_texts(books.now, 1)
    transaction_id = id_ if rule.points else None
    content = sha256(f"{member} {occasion.year}".encode()).hexdigest()
    today = policy.company.day_of(books.now)
    if not books.claim([(key, content, member, transaction_id)]):
        return
    context.session.add(
        Given(
            member_id=UUID(member), year=occasion.year, granted_on=today, points=rule.points, benefit=rule.benefit,
            transaction_id=transaction_id and UUID(transaction_id),
        )
    )  # fmt: skip
    if rule.points:
        terms = Terms(policy)
        given = Credit(
            kind="birthday", key=key, points=rule.points, occurred_at=books.now, clause=rule.clause,
            reason=f"birthday {occasion.year}", detail={"kept_on": occasion.day.isoformat()},
        )  # fmt: skip
        announce_earned(books, account, id_, given, credit(books, account, id_, given, terms), terms)
    else:
        _announce_benefit(books, account, key, occasion, rule, policy)


def _announce_benefit(
    books: Books, account: Account, key: str, occasion: _Occasion, rule: BirthdayGrant, policy: Policy
) -> None:
    until = None
    if rule.valid_for is not None:
        until = policy.company.end_of(rule.valid_for.later(occasion.day)).isoformat()
    data = {
        "customer_id": account.customer_id,
        "issue_id": derived_text(PRODUCER, key, "reward.issued.v1"),
        "reward": rule.benefit,
        "kind": "benefit",
        "name": str(rule.benefit).replace("_", " "),
        "points": 0,
        "valid_until": until,
        "issued_at": books.now.isoformat(),
    }
    books.announce("reward.issued.v1", account, key, data, policy.version)


def _occasion(rule: BirthdayGrant, kept: Sequence[Any], day: date) -> _Occasion | None:
    birthday, month, lunar_number, leap, _ = kept
    if month is not None and LUNAR in rule.calendars:
        on = (month, lunar_number, leap) in kept_on(day)
        return _Occasion(day, lunar_day(day).year) if on else None
    if birthday is not None and SOLAR in rule.calendars and celebrated(birthday, day.year) == day:
        return _Occasion(day, day.year)
    return None


def _solar(day: date, lunar: bool) -> Mapping[str, Any]:
    """29 February is kept on the 28th in common years."""
    leap_day = celebrated(date(2024, 2, 29), day.year)
    return {"month": day.month, "days": [day.day, *([29] if day == leap_day else [])], "lunar": lunar}


def _lunar(day: date) -> Mapping[str, Any]:
    births = sorted(kept_on(day))
    months, days, leaps = zip(*births, strict=True) if births else ((), (), ())
    return {"months": array(months), "lunar_days": array(days), "leaps": array(leaps)}


def _since(today: date) -> date:
    return today - LOCKED
