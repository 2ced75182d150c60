"""A review of everybody: who falls, who rises, who is at risk; dry, or carried out (CG-22, CG-23)."""

from __future__ import annotations

import uuid
from datetime import datetime
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from chassis import jobs
from chassis.errors import Invalid
from chassis.jobs import JobRow
from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.web.principal import Principal
from loyalty.ledger.books import Books
from loyalty.policy.rules import TierRules
from loyalty.tiers import domain
from loyalty.tiers.periods import stretches
from loyalty.tiers.tables import TierReview, TierReviewLine
from loyalty.tiers.use_cases import STEP, History, histories, settle
from loyalty.tiers.windows import told

JOB = "tier-review"
FALLS, RISES, AT_RISK, KEEPS = "falls", "rises", "at_risk", "keeps"

# Whoever can stand above the first tier: the others have nothing to lose and have not reached anything.
_MEMBERS = text("""
    SELECT customer_id::text AS id, tier, enrolled_at FROM member
    WHERE customer_id > :after AND status = 'active' AND (rises > 0 OR tier <> :first OR growth >= :second)
    ORDER BY customer_id LIMIT :step
""")


def begin_review(context: Context, as_of: datetime | None, dry_run: bool, principal: Principal) -> TierReview:
    """Queue a review of all members; the job of its id does it.

    A review that changes tiers is of now. Raises Invalid for a past day, and for another day than now unless dry.
    """
    now, policy = context.clock.now(), context.policies.in_force()
    if as_of is not None and as_of < now:
        raise Invalid("the past was reviewed then", {"as_of": ["name an instant to come, or leave it out"]})
    if as_of is not None and not dry_run:
        raise Invalid("tiers are changed when their time comes", {"as_of": ["only with dry_run; leave it out"]})
    job = jobs.start(context.session, context.clock, JOB, {}, principal)
    review = TierReview(
        id=job.id,
        as_of=as_of or now,
        dry_run=dry_run,
        started_by=principal.username,
        created_at=now,
        policyversion=policy.version,
        clause=policy.rules.tiers.clause,
        counts={"members": 0, FALLS: 0, RISES: 0, AT_RISK: 0, KEEPS: 0, "moves": {}},
    )
    context.session.add(review)
    return review


def review_step(context: Context, job: JobRow) -> bool:
    """So many members in one transaction; their lines and the counts are committed together."""
    session, policy = context.session, context.policies.in_force()
    review = session.get_one(TierReview, job.id)
    rules: TierRules = policy.rules.tiers
    second = rules.tiers[1].at if len(rules.tiers) > 1 else None
    asked = {
        "after": job.params.get("after") or str(uuid.UUID(int=0)), "first": rules.tiers[0].name, "second": second,
        "step": STEP,
    }  # fmt: skip
    members = session.execute(_MEMBERS, asked).all()
    counts: dict[str, Any] = {**review.counts, "moves": dict(review.counts["moves"])}
    known = histories(session, [member.id for member in members])
    for member in members:
        line = _judge(member.id, member.tier, known[member.id], member.enrolled_at, review.as_of, policy)
        change = KEEPS if line is None else line.change
        counts[change] += 1
        if line is None:
            continue
        line.review_id = review.id
        session.add(line)
        if change in (FALLS, RISES):
            move = f"{line.previous} → {line.tier}"
            counts["moves"][move] = counts["moves"].get(move, 0) + 1
    if not review.dry_run:
        _carry_out(session, [member.id for member in members], policy, context.clock.now())
    job.done += len(members)
    job.params = {"after": members[-1].id if members else None}
    job.result = review.counts = {**counts, "members": job.done}
    return len(members) == STEP


def _judge(
    customer_id: str, before: str, history: History, enrolled_at: datetime, as_of: datetime, policy: Policy
) -> TierReviewLine | None:
    """What the review says of one member; None where the tier is kept and nothing is at risk."""
    rules: TierRules = policy.rules.tiers
    tier, held = history.tier(enrolled_at, as_of, policy), rules.named(before)
    growth = domain.counted(history.window, stretches(rules, as_of, enrolled_at, policy.company))
    falls_at, missing = None, 0
    if tier.at > held.at:
        change = RISES
    elif tier.at < held.at:
        change, missing = FALLS, max(held.at - growth, 0)
    else:
        falls_at = domain.falls_at(history.window, history.steps, tier, as_of, rules, policy.company, enrolled_at)
        if falls_at is None or falls_at > rules.notice.after(as_of, policy.company.time_zone):
            return None
        left = domain.counted(history.window, stretches(rules, falls_at, enrolled_at, policy.company))
        change, missing = AT_RISK, max(tier.at - left, 0)
    return TierReviewLine(
        member_id=uuid.UUID(customer_id),
        change=change,
        previous=before,
        tier=tier.name,
        growth=max(growth, 0),
        missing=missing,
        falls_at=falls_at,
    )


def _carry_out(session: Session, customer_ids: list[str], policy: Policy, now: datetime) -> None:
    """Settle these members now: what was judged above may have moved on, so it is read again under their locks."""
    if not customer_ids:
        return
    books = Books(session)
    locked = books.lock(customer_ids)  # without those who became part of another member meanwhile
    last = told(session, list(locked))
    for customer_id, history in histories(session, list(locked)).items():
        settle(books, books.accounts[customer_id], history, last.get(customer_id), policy, now, "review")
    books.write()
