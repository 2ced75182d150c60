"""Exchange points for a reward: at once, or those that a hold has set aside (CG-22).

Locks in the order of the house: the member's account, then the reward where it is counted. The account decides whether
the points are there and how often this member had it, the reward's row whether one is left; so of twenty who ask for
the last piece one gets it, and of twenty who ask with one balance one.
"""

from __future__ import annotations

import uuid
from dataclasses import dataclass

import orjson
from sqlalchemy import func, select

from chassis.errors import Conflict, Invalid
from chassis.ids import uuid7_texts
from chassis.policies.book import Policy
from chassis.runtime import Context
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account
from loyalty.ledger.legs import legs
from loyalty.redemption.domain import REDEEMED, spend
from loyalty.redemption.spending import announce_spent, new_redemption, selves, spendable, spender
from loyalty.redemption.tables import Redemption
from loyalty.redemption.use_cases import locked_for, settle
from loyalty.rewards.domain import VOUCHER, obstacle
from loyalty.rewards.tables import Reward
from loyalty.rewards.use_cases import reward_coded
from loyalty.tiers.progress import tier_now
from loyalty.vouchers.tables import Voucher
from loyalty.vouchers.use_cases import issue


@dataclass(frozen=True, slots=True)
class Claim:
    """What a member asks for in exchange for points; ``hold_id``: for points that were set aside."""

    customer_id: uuid.UUID
    reward: str
    quantity: int
    hold_id: uuid.UUID | None
    reference: str | None
    by: str | None


def redeem(context: Context, claim: Claim) -> Redemption:
    """Take the price, hand out the reward, say both.

    Raises NotFound for an unknown customer or hold, Invalid for an unknown reward, Conflict when the points are not
    there, the hold is over, the member may not redeem, or the reward is not to be had: not now, not by this tier, not
    so often, or sold out.
    """
    session, policy = context.session, context.policies.in_force()
    books = Books(session)
    account = spender(books, claim.customer_id)
    reward = reward_coded(session, claim.reward)
    _may_have(books, account, reward, claim.quantity, policy)
    redemption = new_redemption(
        books, account, reward.points * claim.quantity, policy, claim.by, reward_id=reward.id, reward=reward.code,
        name=reward.name, kind=reward.kind, quantity=claim.quantity, reference=claim.reference,
        hold_id=claim.hold_id, clause=policy.rules.catalogue.clause or policy.rules.redemption.clause,
    )  # fmt: skip
    if claim.hold_id is not None:
        _take_held(context, books, account, redemption, policy)
    elif redemption.points:
        _take_available(books, account, redemption, policy)
    if reward.stock is not None:
        reward.taken += claim.quantity
    session.add(redemption)
    session.flush()  # vouchers name it
    vouchers = []
    if reward.kind == VOUCHER:
        vouchers = issue(session, redemption.id, claim.quantity, reward.usable_for_days, policy, books.now)
    _announce_issued(books, account, redemption, reward, vouchers)
    books.write()
    session.flush()
    return redemption


def _may_have(books: Books, account: Account, reward: Reward, quantity: int, policy: Policy) -> None:
    review = account.tier_review_at
    due = review is not None and review <= books.now
    tier = tier_now(books.session, account.customer_id, policy, books.now) if due else account.tier
    had = 0
    if reward.per_member is not None:
        mine = select(func.coalesce(func.sum(Redemption.quantity), 0)).where(
            Redemption.member_id.in_(selves(account.customer_id)),
            Redemption.reward_id == reward.id,
            Redemption.status == REDEEMED,
        )
        had = books.session.scalar(mine) or 0
    found = obstacle(reward.offer, quantity, books.now, tier=tier, had=had)
    if found is not None:
        raise Conflict(found.says, **found.facts)


def _take_available(books: Books, account: Account, redemption: Redemption, policy: Policy) -> None:
    lots = spendable(books, account, redemption.points, policy)
    (id_,) = uuid7_texts(books.now, 1)
    redemption.transaction_id = uuid.UUID(id_)
    for lot, share in spend(account, lots, redemption.points):
        books.change(lot)
        books.use(lot.member_id, lot.id, id_, share)
    key = f"redemption:{redemption.id}"
    books.post(
        account, id_, "redemption", key, books.now,
        legs({"available": -redemption.points, "redeemed": redemption.points}), policyversion=policy.version,
        clause=redemption.clause, reference=redemption.reference,
        detail=orjson.dumps({"reward": redemption.reward, "quantity": redemption.quantity}),
    )  # fmt: skip
    announce_spent(books, account, redemption, key)


def _take_held(context: Context, books: Books, account: Account, redemption: Redemption, policy: Policy) -> None:
    """The price comes out of the hold; what it set aside beyond that goes back."""
    hold = locked_for(books, redemption)
    if redemption.points == 0:
        raise Invalid("nothing is to be paid", {"hold_id": ["the reward costs nothing: leave the hold out"]})
    if hold.points < redemption.points:
        raise Conflict(
            f"the hold has set {hold.points} points aside, {redemption.reward} costs {redemption.points}",
            held=hold.points, price=redemption.points,
        )  # fmt: skip
    settle(context, books, account, hold, redemption, policy)


def _announce_issued(
    books: Books, account: Account, redemption: Redemption, reward: Reward, vouchers: list[Voucher]
) -> None:
    """``reward.issued``: one word for each voucher, as each has a code; one for all pieces of anything else."""
    said = {
        "customer_id": account.customer_id,
        "reward": reward.code,
        "kind": reward.kind,
        "name": reward.name,
        "redemption_id": str(redemption.id),
        "issued_at": books.now.isoformat(),
    }
    pieces = [
        {"issue_id": str(one.id), "voucher": one.code, "valid_until": one.valid_until, "points": reward.points,
         "quantity": 1}
        for one in vouchers
    ] or [{"issue_id": str(redemption.id), "points": redemption.points, "quantity": redemption.quantity}]  # fmt: skip
    for piece in pieces:
        books.announce(
            "reward.issued.v1", account, f"issue:{piece['issue_id']}", {**said, **piece}, redemption.policyversion
        )
