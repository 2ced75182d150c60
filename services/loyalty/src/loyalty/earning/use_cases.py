"""Take in purchases and refunds: set-based, each fact once, each decision with its reasons (CG-22, CG-23)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeVar

from chassis.ids import uuid7_texts
from chassis.runtime import Context
from chassis.timing.due import DueRow
from loyalty.earning import waiting
from loyalty.earning.domain import Purchase
from loyalty.earning.refunds import Refund
from loyalty.earning.reversing import Original, originals, reverse
from loyalty.earning.valuing import earn
from loyalty.ledger.books import Books
from loyalty.ledger.statements import cursor
from loyalty.members import identities
from loyalty.referrals.noticing import notice_referred
from loyalty.tiers.use_cases import reconsider

Refused = list[tuple[Purchase | Refund, str]]
Told = TypeVar("Told", Purchase, Refund)

_CONTENTS = "SELECT key, encode(content, 'hex') FROM business_key WHERE key = ANY(%s)"


def take_in(context: Context, purchases: Sequence[Purchase], refunds: Sequence[Refund]) -> Refused:
    """Earn and reverse; what cannot be valued yet waits. Returns what contradicts what is known, with the reason.

    Purchases go first, in the order in which they happened, then the refunds, those that waited for them included.
    """
    session = context.session
    refused: Refused = []
    purchases = _once(purchases, refused)
    refunds = _once(refunds, refused)
    anything_waits = waiting.anything(session)
    if anything_waits:
        purchases = _not_waiting_already(context, purchases, refused)
    names = {purchase.name for purchase in purchases if purchase.name}
    owners = identities.known(session, names)
    if len(owners) < len(names):
        owners |= identities.await_names(session, names - owners.keys())
    targets = originals(session, [refund.purchase_id for refund in refunds])

    books = Books(session)
    wanted = {*owners.values(), *(target.member_id for target in targets.values() if target.member_id)}
    if wanted - books.lock(wanted).keys():
        raise RuntimeError("a member became part of another while this waited for their lock; try again")
    ready = [purchase for purchase in purchases if not purchase.name or purchase.name in owners]
    fresh = _claim(books, ready, owners, refused)
    late = earn(context, books, [(purchase, owners[purchase.name], id_) for purchase, id_ in fresh if purchase.name])
    if len(ready) < len(purchases):
        _let_wait(
            context, [purchase for purchase in purchases if purchase.name not in owners and purchase.name], refused
        )
    books.write()
    if late:
        reconsider(books, late, context.policies.in_force, "rise", lost=False)
        books.write()
    notice_referred(context, [(purchase, owners[purchase.name]) for purchase, _ in fresh if purchase.name])

    targets |= {
        purchase.purchase_id: Original(owners.get(purchase.name), id_ if purchase.name else None)
        for purchase, id_ in fresh
    }
    if anything_waits or refunds:
        _reverse(context, books, refunds, targets, [purchase.purchase_id for purchase, _ in fresh], refused)
    if buried := [(told, reason) for told, reason in refused if told.waited]:
        waiting.bury(context, buried)
    return [(told, reason) for told, reason in refused if not told.waited]


def apply_waiting(context: Context, names: Iterable[str]) -> int:
    """Value the purchases that waited for these names, which have their member now; returns how many."""
    applied = 0
    while purchases := waiting.take_purchases(context.session, names):
        take_in(context, purchases, [])
        applied += len(purchases)
    return applied


def look_at_waiting_refund(context: Context, row: DueRow) -> None:
    """Look again at a refund that began to wait while another process was just valuing its purchase."""
    session = context.session
    purchase_id = waiting.waiting_for(session, row.key)
    if purchase_id is None:
        return
    targets = originals(session, [purchase_id])
    if not targets:
        waiting.recheck(session, row.key, row.payload["attempt"] + 1)
        return
    books = Books(session)
    books.lock({target.member_id for target in targets.values() if target.member_id})
    refused: Refused = []
    _reverse(context, books, [], targets, [purchase_id], refused)
    waiting.bury(context, refused)


def _once(told: Sequence[Told], refused: Refused) -> list[Told]:
    """The same fact under two event ids in one batch counts once; a contradiction is refused."""
    first: dict[str, Told] = {}
    for one in told:
        key = one.purchase_id if isinstance(one, Purchase) else one.refund_id
        before = first.setdefault(key, one)
        if before.content != one.content:
            refused.append((one, _conflict(one)))
    return sorted(first.values(), key=lambda one: one.occurred_at)


def _not_waiting_already(context: Context, purchases: list[Purchase], refused: Refused) -> list[Purchase]:
    contents = waiting.purchase_contents(context.session, [purchase.purchase_id for purchase in purchases])
    if not contents:
        return purchases
    return _new(purchases, contents, "", refused)


def _claim(books: Books, ready: list[Purchase], owners: dict[str, str], refused: Refused) -> list[tuple[Purchase, str]]:
    """Those purchases that nobody has valued yet, each with the id of its transaction."""
    ids = uuid7_texts(books.now, len(ready))
    claimed = books.claim(
        [
            (
                f"purchase:{purchase.purchase_id}",
                purchase.content,
                owners.get(purchase.name),
                id_ if purchase.name else None,
            )
            for purchase, id_ in zip(ready, ids, strict=True)
        ]
    )
    fresh = [(one, id_) for one, id_ in zip(ready, ids, strict=True) if f"purchase:{one.purchase_id}" in claimed]
    if len(fresh) < len(ready):
        seen = [one for one in ready if f"purchase:{one.purchase_id}" not in claimed]
        _new(seen, _known_contents(books, [f"purchase:{one.purchase_id}" for one in seen]), "purchase:", refused)
    return fresh


def _let_wait(context: Context, purchases: list[Purchase], refused: Refused) -> None:
    """Keep purchases of unknown customers, unless they contradict what is already valued."""
    known = _known_contents(Books(context.session), [f"purchase:{purchase.purchase_id}" for purchase in purchases])
    waiting.keep_purchases(context.session, _new(purchases, known, "purchase:", refused))


def _reverse(
    context: Context,
    books: Books,
    refunds: list[Refund],
    targets: dict[str, Original],
    just_valued: list[str],
    refused: Refused,
) -> None:
    """Reverse what can be; let the others wait for their purchase."""
    waited = waiting.take_refunds(context.session, just_valued) if just_valued else []
    early = [refund for refund in refunds if refund.purchase_id not in targets]
    if early:
        known = _known_contents(books, [f"refund:{refund.refund_id}" for refund in early])
        contradicted = waiting.keep_refunds(context.session, _new(early, known, "refund:", refused))
        refused += [(refund, _conflict(refund)) for refund in contradicted]
    due = [*waited, *(refund for refund in refunds if refund.purchase_id in targets)]
    if not due:
        return
    due = _once(due, refused)
    due = _new(due, _known_contents(books, [f"refund:{one.refund_id}" for one in due]), "refund:", refused)
    refused += reverse(context, books, [(refund, targets[refund.purchase_id]) for refund in due])
    books.write()


def _known_contents(books: Books, keys: list[str]) -> dict[str, str]:
    if not keys:
        return {}
    with cursor(books.session) as found:
        found.execute(_CONTENTS, (keys,))
        return dict(found.fetchall())


def _new(told: Sequence[Told], contents: dict[str, str], prefix: str, refused: Refused) -> list[Told]:
    """Those not known yet; a known one with the same content has no effect, with another it is refused."""
    new = []
    for one in told:
        key = one.purchase_id if isinstance(one, Purchase) else one.refund_id
        known = contents.get(prefix + key)
        if known is None:
            new.append(one)
        elif known != one.content:
            refused.append((one, _conflict(one)))
    return new


def _conflict(one: Purchase | Refund) -> str:
    what = f"purchase {one.purchase_id}" if isinstance(one, Purchase) else f"refund {one.refund_id}"
    return f"conflict: {what} is already known with a different content"
