"""Lock accounts, collect postings, write them set-based: a few statements whatever the number of transactions.

Order of locks everywhere: names (identity rows) → accounts by customer id → business keys by key. The hot path speaks
to psycopg directly: rows leave as binary COPY, because building objects per row would cost more than storing them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

import orjson
from psycopg.errors import UniqueViolation
from sqlalchemy.orm import Session

from chassis.ids import derived_text
from chassis.messaging import outbox
from chassis.storage import wire
from chassis.telemetry import current_traceparent
from loyalty.ledger import statements
from loyalty.ledger.domain import Account, OpenLot
from loyalty.ledger.saving import save_accounts, save_lots, save_tiers
from loyalty.ledger.statements import array, cursor

PRODUCER = "/kezhi/loyalty"
_MANY = 20  # keys from which on the hope that all are new pays for its savepoint
Key = tuple[str, str, str | None, str | None]
_FOUR, _TRANSACTION, _LOT, _TIER_CHANGE = wire.row(4), wire.row(22), wire.row(10), wire.row(12)
_LOT_GIVEN = wire.row(11)
_PURCHASE, _NO_REFERENCE = wire.text("purchase"), wire.NULL * 2


class Books:
    """Everything one use case decides, until ``write`` puts it down. Accounts from ``lock`` are changed in place."""

    def __init__(self, session: Session) -> None:
        self.session = session
        self.now: datetime = session.info["clock"].now()
        self.recorded_at = self.now.isoformat()
        self.accounts: dict[str, Account] = {}
        self._bodies: list[tuple[str, str, str, bytes]] = []
        self._now = wire.instant(self.now)
        self._wires: dict[str, bytes] = {}
        self._words: dict[str, bytes] = {}
        self._rows: dict[str, list[bytes]] = {table: [] for table in statements.COPIES}
        self._touched: dict[str, Account] = {}
        self._retiered: dict[str, Account] = {}
        self._lots: dict[tuple[str, str], OpenLot] = {}
        self._trace = current_traceparent()

    def lock(self, customer_ids: Iterable[str]) -> dict[str, Account]:
        """Lock the account rows in the order of their ids; ids that nobody has are left out.

        So are members who became part of another, even those who did while this waited for their lock.
        """
        wanted = array(customer_id for customer_id in customer_ids if customer_id not in self.accounts)
        if wanted != "{}":
            with cursor(self.session, binary=True) as found:
                found.execute(statements.LOCK, (wanted,))
                self.accounts.update((row[0], Account(*row)) for row in found.fetchall())
        return self.accounts

    def claim(self, keys: Sequence[Key]) -> set[str]:
        """Claim business keys (key, content digest, member, transaction); returns those nobody had."""
        if not keys:
            return set()
        ordered = sorted(keys)
        with cursor(self.session) as claimed:
            if len(ordered) >= _MANY and self._claimed_all(claimed, ordered):
                return {key[0] for key in ordered}
            claimed.execute(
                statements.CLAIM,
                (
                    [key[0] for key in ordered],
                    array(key[1] for key in ordered),
                    array(key[2] for key in ordered),
                    array(key[3] for key in ordered),
                ),
            )
            return {row[0] for row in claimed.fetchall()}

    def _claimed_all(self, connection: Any, keys: Sequence[Key]) -> bool:
        """Claim all by one COPY; False, and nothing claimed, when somebody had one of them."""
        rows = [
            _FOUR + wire.text(key) + wire.raw(bytes.fromhex(content)) + self.wired(member) + wire.uuid(id_)
            for key, content, member, id_ in keys
        ]
        connection.execute("SAVEPOINT claim")
        try:
            with connection.copy(statements.CLAIM_ALL) as copy:
                copy.write(wire.copied(rows))
        except UniqueViolation:
            connection.execute("ROLLBACK TO SAVEPOINT claim")
            return False
        connection.execute("RELEASE SAVEPOINT claim")
        return True

    def wired(self, customer_id: str | None) -> bytes:
        """A customer id as COPY reads it; made once per member."""
        if customer_id is None:
            return wire.NULL
        known = self._wires.get(customer_id)
        if known is None:
            known = self._wires[customer_id] = wire.uuid(customer_id)
        return known

    def lots(self, customer_ids: Iterable[str]) -> list[OpenLot]:
        """The lots of locked members that still hold something."""
        with cursor(self.session) as found:
            found.execute(statements.LOTS, (array(customer_ids),))
            return [OpenLot(*row) for row in found.fetchall()]

    def post(
        self,
        account: Account,
        transaction_id: str,
        kind: str,
        business_key: str,
        occurred_at: datetime,
        legs: bytes,
        *,
        effective_at: datetime | None = None,
        policyversion: str | None = None,
        clause: str | None = None,
        reference: str | None = None,
        reason: str | None = None,
        detail: bytes | None = None,
    ) -> None:
        """One transaction; ``legs`` as the function of that name makes them, ``detail`` as JSON."""
        member = account.customer_id
        at = self._now if occurred_at is self.now else wire.instant(occurred_at)
        self._rows["transaction"].append(
            b"".join(
                (
                    _TRANSACTION,
                    self.wired(member),
                    wire.uuid(transaction_id),
                    self.worded(kind),
                    wire.text(business_key),
                    at,
                    at if effective_at is None else wire.instant(effective_at),
                    self._now,
                    legs,
                    self.worded(policyversion),
                    self.worded(clause),
                    wire.text(reference),
                    wire.text(reason),
                    wire.raw(detail),
                )
            )
        )
        self._touched[member] = account

    def worded(self, word: str | None) -> bytes:
        """A text that comes again and again as COPY reads it."""
        if word is None:
            return wire.NULL
        known = self._words.get(word)
        if known is None:
            known = self._words[word] = wire.text(word)
        return known

    def post_earned(
        self, account: Account, origin: bytes, business_key: str, at: bytes, legs: bytes, ground: bytes, detail: bytes
    ) -> None:
        """``post`` for what is earned by the hundred thousand; fields come as ``wire`` makes them.

        ``ground`` is policyversion and clause.
        """
        member = account.customer_id
        self._rows["transaction"].append(
            b"".join(
                (
                    _TRANSACTION, self.wired(member), origin, _PURCHASE, wire.text(business_key), at, at, self._now,
                    legs, ground, _NO_REFERENCE, wire.raw(detail),
                )
            )
        )  # fmt: skip
        self._touched[member] = account

    def lot_earned(self, account: Account, origin: bytes, state: str, amounts: bytes, terms: bytes) -> None:
        """A lot of its own for it: ``amounts`` points and remaining, ``terms`` unit cost and the three instants."""
        self._rows["lot"].append(
            b"".join((_LOT, self.wired(account.customer_id), origin, origin, self.worded(state), amounts, terms))
        )

    def lot_given(
        self, account: Account, lot_id: str, origin: bytes, state: str, amounts: bytes, terms: bytes, campaign: str
    ) -> None:
        """A lot that a campaign gave on top of what its transaction earned; fields as ``lot_earned`` takes them."""
        head = (_LOT_GIVEN, self.wired(account.customer_id), wire.uuid(lot_id), origin, self.worded(state))
        self._rows["lot_of_campaign"].append(b"".join((*head, amounts, terms, self.worded(campaign))))

    def use(self, member_id: str, lot_id: str, transaction_id: str, points: int) -> None:
        """What a transaction took from a lot."""
        self._rows["lot_use"].append(
            _FOUR + self.wired(member_id) + wire.uuid(lot_id) + wire.uuid(transaction_id) + wire.integer(points)
        )

    def change(self, lot: OpenLot) -> None:
        """A lot whose cached columns were changed in hand."""
        self._lots[lot.member_id, lot.id] = lot

    def touch(self, account: Account) -> None:
        """An account that was changed without a posting."""
        self._touched[account.customer_id] = account

    def retier(self, account: Account, row: Sequence[Any]) -> None:
        """A step of the tier history.

        (kind, tier, previous, since, kept_until, growth, transaction, revokes, version, clause)
        """
        kind, tier, previous, since, kept_until, growth, transaction_id, revokes, version, clause = row
        self._rows["tier_change"].append(
            b"".join(
                (
                    _TIER_CHANGE,
                    self.wired(account.customer_id),
                    self.worded(kind),
                    self.worded(tier),
                    self.worded(previous),
                    wire.instant(since),
                    wire.instant(kept_until),
                    wire.integer(growth),
                    wire.uuid(transaction_id),
                    wire.integer(revokes),
                    self._now,
                    self.worded(version),
                    self.worded(clause),
                )
            )
        )
        self._retiered[account.customer_id] = account

    def remember_tier(self, account: Account) -> None:
        """A tier whose dates changed without a step of the history."""
        self._retiered[account.customer_id] = account

    def announce(
        self,
        type: str,
        account: Account,
        key: str,
        data: dict[str, Any],
        policyversion: str | None,
        sequence: str | None = None,
    ) -> None:
        """An event of this service about a member, written with the rest."""
        id_ = derived_text(PRODUCER, key, type)
        member = account.customer_id
        body: dict[str, Any] = {
            "specversion": "1.0",
            "id": id_,
            "source": PRODUCER,
            "type": type,
            "subject": member,
            "time": self.recorded_at,
            "datacontenttype": "application/json",
            "dataschema": f"/events/{type}.json",
            "partitionkey": member,
        }
        if sequence is not None:
            body["sequence"] = sequence
        if policyversion is not None:
            body["policyversion"] = policyversion
        if self._trace is not None:
            body["traceparent"] = self._trace
        body["data"] = data
        self._bodies.append((id_, type, member, orjson.dumps(body)))

    def write(self) -> None:
        """Put everything down and start empty; the accounts stay locked and in hand."""
        with cursor(self.session) as connection:
            for table, rows in self._rows.items():
                if rows:
                    with connection.copy(statements.COPIES[table]) as copy:
                        copy.write(wire.copied(rows))
                    rows.clear()
            save_accounts(connection, self._touched.values())
            save_tiers(connection, self._retiered.values())
            save_lots(connection, self._lots.values())
        for put_down in (self._touched, self._retiered, self._lots):
            put_down.clear()
        outbox.record_bodies(self.session, self._bodies)
        self._bodies = []
