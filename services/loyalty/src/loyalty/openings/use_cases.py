"""Take over what members had elsewhere: all lines of a file in one transaction, or none (CG-23).

A line has its business key, ``opening:<source>:<reference>``: the same file again changes nothing, and a line that says
something else under a known key refuses the whole file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, time

from sqlalchemy.orm import Session

from chassis.errors import Conflict, Invalid
from chassis.ids import uuid7, uuid7_texts
from chassis.policies.book import Policy
from chassis.policies.company import Company
from chassis.runtime import Context
from loyalty.earning.terms import Terms
from loyalty.grants.crediting import Credit, announce_earned, credit
from loyalty.ledger.books import Books
from loyalty.ledger.statements import cursor
from loyalty.members.identities import known
from loyalty.openings.domain import Faults, OpeningLine, difference, misread, name_of, read_lines
from loyalty.openings.tables import Opening

MOST_LINES = 100_000
SHOWN = 100  # faults in one answer
_CONTENTS = "SELECT key, encode(content, 'hex') FROM business_key WHERE key = ANY(%s)"
_BOOKED = """
    SELECT count(*), coalesce(-sum(t.points_issued), 0)::bigint, coalesce(sum(t.growth_available), 0)::bigint
    FROM business_key k JOIN transaction t ON t.member_id = k.member_id AND t.id = k.transaction_id
    WHERE k.key = ANY(%s)
"""


def take_over_balances(
    context: Context, by: str, source: str, file: Iterable[str], points: int, growth: int | None, dry_run: bool = False
) -> Opening:
    """Take over a CSV file that adds up to the source's totals; ``dry_run``: say what it would bring, and keep nothing.

    Raises Invalid for a file that cannot be read, does not add up or names customers whom nobody knows, Conflict where
    a line contradicts one that was taken over. Every answer names the lines.
    """
    session, policy = context.session, context.policies.in_force()
    company: Company = policy.company
    lines = _read(file, context, company)
    if wrong := difference(lines, points, growth):
        raise Invalid("The file and the source do not agree: nothing was taken over", wrong)
    if lapsed := _lapsed(lines, policy, context.clock.now()):
        raise Invalid(_sentence("have expired by the pack", lapsed), _shown(lapsed))
    owners = _owners(session, lines)
    before = session.begin_nested()
    opening = _book(context, by, source, lines, owners, policy)
    if dry_run:
        before.rollback()
    else:
        before.commit()
    return opening


def _read(file: Iterable[str], context: Context, company: Company) -> list[OpeningLine]:
    reader = csv.reader(file)
    try:
        header = [column.strip().lower() for column in next(reader, [])]
        if wrong := misread(header):
            raise Invalid("The first line does not name the columns as expected", wrong)
        rows = [(place, cells) for place, cells in enumerate(reader, 2) if any(cell.strip() for cell in cells)]
    except csv.Error as unreadable:
        raise Invalid(f"The file is no CSV: {unreadable}", {"": [str(unreadable)]}) from None
    if not rows or len(rows) > MOST_LINES:
        say = "at least one line below the first" if not rows else f"at most {MOST_LINES}: state totals for each part"
        raise Invalid(f"The file has {len(rows)} lines", {"": [say]})
    lines, faults = read_lines(header, rows, company.day_of(context.clock.now()))
    if faults:
        raise Invalid(_sentence("cannot be read", faults), _shown(faults))
    return lines


def _lapsed(lines: Sequence[OpeningLine], policy: Policy, now: datetime) -> Faults:
    """Lines whose points would be gone the moment they came: the source must say until when it promised them."""
    faults: Faults = {}
    for line in lines:
        if line.points and line.expires_on is None and line.earned_on is not None:
            expires_at = policy.rules.points.expires_at(_earned_at(line, policy.company, now), policy.company)
            if expires_at is not None and expires_at <= now:
                say = "by the pack these points have expired: write expires_on, or leave the line out"
                faults[f"line {line.place}.earned_on"] = [say]
    return faults


def _owners(session: Session, lines: Sequence[OpeningLine]) -> dict[str, str]:
    names = {line.customer: name_of(line.customer) for line in lines}
    members = known(session, set(names.values()))
    unknown = {
        f"line {line.place}.customer": [f"nobody is known as {line.customer}: register them first"]
        for line in lines
        if names[line.customer] not in members
    }
    if unknown:
        raise Invalid(_sentence("name customers whom nobody knows", unknown), _shown(unknown))
    return {customer: members[name] for customer, name in names.items()}


def _book(
    context: Context,
    by: str,
    source: str,
    lines: Sequence[OpeningLine],
    owners: Mapping[str, str],
    policy: Policy,
) -> Opening:
    books = Books(context.session)
    accounts = books.lock(set(owners.values()))
    if missing := set(owners.values()) - accounts.keys():
        raise Conflict("a customer was merged or left meanwhile: try again", customers=sorted(missing)[:SHOWN])
    keys = {line.reference: f"opening:{source}:{line.reference}" for line in lines}
    ids = uuid7_texts(books.now, len(lines))
    claimed = books.claim(
        [(keys[line.reference], line.content, owners[line.customer], id_) for line, id_ in zip(lines, ids, strict=True)]
    )
    _refuse_contradictions(books, lines, keys, claimed)
    terms, clause = Terms(policy), policy.rules.participation.clause
    for line, id_ in zip(lines, ids, strict=True):
        if keys[line.reference] not in claimed:
            continue
        account = accounts[owners[line.customer]]
        given = _credit(line, keys[line.reference], source, clause, policy.company, books.now)
        announce_earned(books, account, id_, given, credit(books, account, id_, given, terms), terms)
        if line.growth:  # the tier that it leads to is looked for by the next review, and by whoever asks before
            account.tier_review_at = books.now
            books.remember_tier(account)
    books.write()
    opening = Opening(
        id=uuid7(books.now), source=source, lines=len(lines), known=len(lines) - len(claimed),
        members=len(set(owners.values())), points=sum(line.points for line in lines),
        growth=sum(line.growth for line in lines), created_by=by, created_at=books.now,
        policyversion=policy.version, clause=clause,
    )  # fmt: skip
    _prove(books, opening, list(keys.values()))
    context.session.add(opening)
    context.session.flush()
    return opening


def _credit(line: OpeningLine, key: str, source: str, clause: str, company: Company, now: datetime) -> Credit:
    return Credit(
        kind="opening", key=key, points=line.points, growth=line.growth, occurred_at=_earned_at(line, company, now),
        available_at=now,
        expires_at=None if line.expires_on is None else company.end_of(line.expires_on),
        clause=clause, reason=f"taken over from {source}", detail={"source": source, "reference": line.reference},
    )  # fmt: skip


def _earned_at(line: OpeningLine, company: Company, now: datetime) -> datetime:
    """When the source says, else now; of an earlier day its last second, which is that day's in company time."""
    if line.earned_on is None or line.earned_on == company.day_of(now):
        return now
    return datetime.combine(line.earned_on, time(23, 59, 59), company.time_zone)


def _refuse_contradictions(
    books: Books, lines: Sequence[OpeningLine], keys: Mapping[str, str], claimed: set[str]
) -> None:
    seen = [line for line in lines if keys[line.reference] not in claimed]
    if not seen:
        return
    with cursor(books.session) as found:
        found.execute(_CONTENTS, ([keys[line.reference] for line in seen],))
        contents = dict(found.fetchall())
    other = [line.place for line in seen if contents[keys[line.reference]] != line.content]
    if other:
        raise Conflict(
            f"{len(other)} lines say something else than what was taken over under their reference: correct them, or "
            "change the points by `adjustments`",
            lines=other[:SHOWN],
        )


def _prove(books: Books, opening: Opening, keys: Sequence[str]) -> None:
    """What the ledger says of these lines is what the source said; anything else is a defect, and keeps nothing."""
    with cursor(books.session) as found:
        found.execute(_BOOKED, (list(keys),))
        booked = found.fetchone()
    stated = (opening.lines, opening.points, opening.growth)
    if tuple(booked) != stated:
        raise RuntimeError(f"the ledger has {booked} (lines, points, growth) where the source says {stated}")


def _sentence(what: str, faults: Faults) -> str:
    return f"{len({name.partition('.')[0] for name in faults})} lines {what}: nothing was taken over"


def _shown(faults: Faults) -> Faults:
    return dict(list(faults.items())[:SHOWN])
