"""The pack's limits on the hot path: nothing is asked while it has none, and once per batch where it has some."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from decimal import Decimal

from sqlalchemy.orm import Session

from chassis.ids import uuid7_texts
from loyalty.earning.domain import Purchase, Taken
from loyalty.earning.terms import Terms
from loyalty.fraud.domain import STANDING, Day, Doubt, doubt_about
from loyalty.ledger.domain import Account
from loyalty.ledger.statements import array, cursor

_DAYS = """
    SELECT member_id::text, (occurred_at AT TIME ZONE %s)::date, count(*), coalesce(-sum(points_issued), 0)
    FROM transaction WHERE member_id = ANY(%s::uuid[]) AND kind = 'purchase'
      AND (occurred_at AT TIME ZONE %s)::date = ANY(%s::date[])
    GROUP BY 1, 2
"""
LOOKS_BACK = 50  # purchases that tell what is usual for a member
_USUAL = """
    SELECT m.id::text, before.total FROM unnest(%s::uuid[]) AS m (id), LATERAL (
        SELECT (t.detail->>'total')::numeric AS total FROM transaction t
        WHERE t.member_id = m.id AND t.kind = 'purchase' ORDER BY t.id DESC LIMIT %s) AS before
"""
_OPEN = """
    INSERT INTO fraud_review
        (id, member_id, transaction_id, purchase_id, cause, detail, points, opened_at, clause, policyversion)
    SELECT id, member_id, transaction_id, purchase_id, cause, detail, points, %s, clause, version
    FROM unnest(%s::uuid[], %s::uuid[], %s::uuid[], %s::text[], %s::text[], %s::text[], %s::bigint[], %s::text[],
                %s::text[])
        AS n (id, member_id, transaction_id, purchase_id, cause, detail, points, clause, version)
"""


@dataclass
class Limits:
    """What the members of a batch bought and earned before, as far as a limit asks for it, and what came into doubt."""

    session: Session
    days: dict[tuple[str, date], Day] = field(default_factory=dict)
    totals: dict[str, list[Decimal]] = field(default_factory=dict)
    opened: list[tuple[str, ...]] = field(default_factory=list)
    used: bool = False

    @classmethod
    def load(cls, session: Session, taken: Sequence[Taken], terms: Mapping[str, Terms]) -> Limits:
        """Read what the limits of these purchases ask for."""
        limits = cls(session)
        bounded = [(one, terms[one[0].purchase_id]) for one in taken if terms[one[0].purchase_id].rules.fraud.limits]
        if bounded:
            limits.used = True
            limits._ask([(one[1], term, term.day(one[0].occurred_at)) for one, term in bounded])
        return limits

    def doubt(self, purchase: Purchase, account: Account, term: Terms, points: int) -> Doubt | None:
        """Why what this purchase earns must wait; None: it need not. What it is counts for the next one."""
        found = self._beyond(purchase, account.customer_id, term, points) if self.used else None
        return found or (STANDING if account.earns_blocked else None)

    def open(
        self, purchase: Purchase, customer_id: str, transaction_id: str, points: int, why: Doubt, at: Terms
    ) -> None:
        """Put a purchase into the queue."""
        clause = at.rules.fraud.clause or at.rules.participation.clause
        facts = (purchase.purchase_id, why.cause, why.detail, str(points), clause, at.version)
        self.opened.append((customer_id, transaction_id, *facts))

    def write(self) -> None:
        """Write the queue."""
        if not self.opened:
            return
        now = self.session.info["clock"].now()
        columns = (list(column) for column in zip(*self.opened, strict=True))
        members, transactions, *facts, points, clauses, versions = columns
        ids = uuid7_texts(now, len(members))
        with cursor(self.session) as rows:
            arguments = (array(ids), array(members), array(transactions), *facts, array(points), clauses, versions)
            rows.execute(_OPEN, (now, *arguments))
        self.opened.clear()

    def _beyond(self, purchase: Purchase, member: str, term: Terms, points: int) -> Doubt | None:
        rules = term.rules.fraud
        if not rules.limits:
            return None
        day = self.days.setdefault((member, term.day(purchase.occurred_at)), Day())
        before = self.totals.setdefault(member, [])
        found = doubt_about(purchase.total, points, day, before, rules)
        day.purchases += 1
        day.points += points
        before.append(purchase.total)
        return found

    def _ask(self, asked: Sequence[tuple[str, Terms, date]]) -> None:
        members = array({customer_id for customer_id, _, _ in asked})
        limits = [term.rules.fraud for _, term, _ in asked]
        with cursor(self.session) as rows:
            if any(each.purchases_a_day is not None or each.points_a_day is not None for each in limits):
                zone = asked[0][1].zone.key
                rows.execute(_DAYS, (zone, members, zone, array({day for _, _, day in asked})))
                self.days = {(member, day): Day(number, int(points)) for member, day, number, points in rows}
            if any(each.outlier is not None for each in limits):
                rows.execute(_USUAL, (members, LOOKS_BACK))
                for member, total in rows:
                    self.totals.setdefault(member, []).append(total)
