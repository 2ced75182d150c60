"""Carry lots, debt and growth from one member's books to another's: in the same steps, whichever way.

A lot keeps its id, origin, cost and dates. In the books it is used up on one side and put in on the other; coming
back, it is the same row again (a use with its sign turned), so that a lot is always what it was less its uses.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import orjson

from chassis.ids import uuid7_texts
from chassis.policies.book import Policy
from loyalty.ledger.books import Books
from loyalty.ledger.domain import Account, OpenLot
from loyalty.ledger.legs import legs
from loyalty.ledger.statements import array, cursor
from loyalty.tiers.windows import count_growth

# Whatever else a lot says of itself goes along.
_PUT_IN = """
    INSERT INTO lot SELECT moved.* FROM lot l,
        LATERAL jsonb_populate_record(l, jsonb_build_object('member_id', %(target)s::text, 'points', l.remaining))
            AS moved
    WHERE l.member_id = %(source)s::uuid AND l.id = ANY(%(ids)s::uuid[])
        AND NOT EXISTS (SELECT FROM lot there WHERE there.member_id = %(target)s::uuid AND there.id = l.id)
    RETURNING lot.id::text
"""
_PUT_BACK = """
    UPDATE lot there SET state = l.state, remaining = l.remaining, reserved = l.reserved FROM lot l
    WHERE l.member_id = %(source)s::uuid AND l.id = ANY(%(ids)s::uuid[])
        AND there.member_id = %(target)s::uuid AND there.id = l.id
"""


@dataclass(slots=True)
class Carried:
    """One way between two locked members under one policy; ``name`` is ``merge:<id>`` or ``unmerge:<id>``."""

    books: Books
    source: Account
    target: Account
    kind: str
    name: str
    policy: Policy
    out_id: str = field(init=False)
    in_id: str = field(init=False)

    def __post_init__(self) -> None:
        self.out_id, self.in_id = uuid7_texts(self.books.now, 2)

    def lots(self, lots: Sequence[OpenLot]) -> dict[str, int]:
        """Carry all that these lots of ``source`` hold; returns what moved, by account of the member."""
        if not lots:
            return {}
        self._put_down(lots)
        moved: dict[str, int] = {}
        for lot in lots:
            account = "available" if lot.state not in ("pending", "blocked") else lot.state
            moved[account] = moved.get(account, 0) + lot.free
            moved["held"] = moved.get("held", 0) + lot.reserved
            self.books.use(lot.member_id, lot.id, self.out_id, lot.remaining)
            # Emptied, it is nobody's pending lot any more: schedules look for those.
            lot.state, lot.remaining, lot.reserved = "available", 0, 0
            self.books.change(lot)
        return moved

    def _put_down(self, lots: Sequence[OpenLot]) -> None:
        place = {
            "source": self.source.customer_id, "target": self.target.customer_id, "ids": array(lot.id for lot in lots),
        }  # fmt: skip
        with cursor(self.books.session) as put:
            put.execute(_PUT_IN, place)
            new = {row[0] for row in put.fetchall()}
            known = [lot for lot in lots if lot.id not in new]
            if known:
                put.execute(_PUT_BACK, {**place, "ids": array(lot.id for lot in known)})
        for lot in known:
            self.books.use(self.target.customer_id, lot.id, self.in_id, -lot.remaining)

    def debt(self, points: int, moved: dict[str, int]) -> None:
        """Carry a deficit: what is available is less by it here, and there."""
        if points:
            self.source.deficit -= points
            self.target.deficit += points
            moved["available"] = moved.get("available", 0) - points

    def settle(self, moved: Mapping[str, int], growth: Sequence[tuple[datetime, int]]) -> None:
        """Post both sides: the purses in one transaction each, growth by the instant it counts from."""
        for account, amount in moved.items():
            setattr(self.source, account, getattr(self.source, account) - amount)
            setattr(self.target, account, getattr(self.target, account) + amount)
        self.post(self.source, self.out_id, {account: -amount for account, amount in moved.items()})
        self.post(self.target, self.in_id, moved)
        ids = uuid7_texts(self.books.now, 2 * len(growth))
        for place, (at, amount) in enumerate(growth):
            self._grow(self.source, ids[2 * place], at, -amount)
            self._grow(self.target, ids[2 * place + 1], at, amount)
        total = sum(amount for _, amount in growth)
        points = sum(moved.values())
        if points or total:
            self._announce(self.source, self.out_id, -points, -total)
            self._announce(self.target, self.in_id, points, total)

    def post(self, account: Account, id_: str, moved: Mapping[str, int], part: str | None = None) -> None:
        """One member's side, against what the programme adjusted: over both sides that is nothing."""
        key = f"{self.name}:{self._side(account)}"
        self.books.post(
            account, id_, self.kind, f"{key}:{part}" if part else key, self.books.now,
            legs({**moved, "adjusted": -sum(moved.values())}), policyversion=self.policy.version,
            clause=self.policy.rules.participation.clause, reference=self.name, reason=self._reason(account),
            detail=orjson.dumps({"with": self._other(account)}),
        )  # fmt: skip

    def _grow(self, account: Account, id_: str, at: datetime, amount: int) -> None:
        count_growth(account, at, amount)
        self.books.post(
            account, id_, self.kind, f"{self.name}:{self._side(account)}:growth", at, legs({}, amount),
            policyversion=self.policy.version, clause=self.policy.rules.participation.clause, reference=self.name,
            reason=self._reason(account),
        )  # fmt: skip

    def _announce(self, account: Account, id_: str, points: int, growth: int) -> None:
        data = {
            "customer_id": account.customer_id, "transaction_id": id_, "points": points, "growth": growth,
            "reason_code": self.kind, "reason": self._reason(account), "occurred_at": self.books.now.isoformat(),
            "clause": self.policy.rules.participation.clause, "balance": account.balance,
        }  # fmt: skip
        key = f"{self.name}:{self._side(account)}"
        self.books.announce("points.adjusted.v1", account, key, data, self.policy.version)

    def _side(self, account: Account) -> str:
        return "out" if account is self.source else "in"

    def _other(self, account: Account) -> str:
        return self.target.customer_id if account is self.source else self.source.customer_id

    def _reason(self, account: Account) -> str:
        went = "to" if account is self.source else "from"
        return f"{self.kind}: carried {went} customer {self._other(account)}"
