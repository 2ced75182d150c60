"""Reward what a customer did beside buying, once, by the pack that was in force when it was done (CG-19, LQ-10)."""

from __future__ import annotations

from hashlib import sha256

from chassis.ids import uuid7_texts
from chassis.messaging.delivery import Reject
from chassis.runtime import Context
from loyalty.compensation.use_cases import NotYetAMember
from loyalty.earning.terms import Terms
from loyalty.grants.crediting import Credit, announce_earned, content_of, credit
from loyalty.grants.domain import Deed
from loyalty.ledger.books import Books
from loyalty.members.identities import known, own_name


def reward_deed(context: Context, deed: Deed) -> None:
    """Credit the reward, spendable at once. The same deed told again has no effect; a pack without the reward none.

    Raises Reject when a known deed comes with another content, NotYetAMember while the customer is unknown here.
    """
    policy = context.policies.in_force(deed.done_at)
    reward = policy.rules.rewards.get(deed.reward)
    points = 0 if reward is None else reward.points if deed.points is None else deed.points
    if reward is None or not points:
        return
    name = own_name(deed.customer_id)
    member = known(context.session, [name]).get(name, deed.customer_id)  # of a merged customer: the one they became
    books = Books(context.session)
    account = books.lock([member]).get(member)
    if account is None:
        raise NotYetAMember(f"customer {member} is not enrolled yet")
    (id_,) = uuid7_texts(books.now, 1)
    content = sha256(f"{deed.customer_id} {points}".encode()).hexdigest()
    if not books.claim([(deed.key, content, member, id_)]):
        _refuse_another_content(books, deed.key, content)
        return
    terms = Terms(policy)
    given = Credit(
        kind=deed.kind, key=deed.key, points=points, occurred_at=deed.done_at, available_at=books.now,
        clause=reward.clause, reason=deed.reason,
    )  # fmt: skip
    lotted = credit(books, account, id_, given, terms)
    announce_earned(books, account, id_, given, lotted, terms)
    books.write()


def _refuse_another_content(books: Books, key: str, content: str) -> None:
    if content_of(books, key) != content:
        raise Reject(f"{key} was rewarded already, for another customer or with another number of points")
