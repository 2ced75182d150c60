"""What the caps of the day and the month leave; nothing is asked while the pack has no such cap."""

from __future__ import annotations

from calendar import monthrange
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date

from sqlalchemy.orm import Session

from loyalty.earning.domain import Purchase, Taken
from loyalty.earning.terms import Terms
from loyalty.ledger.statements import array, cursor

_EARNED = """
    SELECT member_id::text, (occurred_at AT TIME ZONE %s)::date, -sum(points_issued)
    FROM transaction WHERE member_id = ANY(%s::uuid[]) AND kind = 'purchase' AND points_issued IS NOT NULL
      AND (occurred_at AT TIME ZONE %s)::date BETWEEN %s AND %s
    GROUP BY 1, 2
"""


@dataclass
class Caps:
    """Points earned by purchases, by member and company day."""

    earned: dict[tuple[str, date], int] = field(default_factory=dict)
    used: bool = False

    @classmethod
    def load(cls, session: Session, taken: Sequence[Taken], terms: Mapping[str, Terms]) -> Caps:
        """Read what the members of a batch earned in the months it touches."""
        capped = [(one, terms[one[0].purchase_id]) for one in taken if _spans(terms[one[0].purchase_id])]
        caps = cls(used=bool(capped))
        if not capped:
            return caps
        days = [term.day(purchase.occurred_at) for (purchase, _, _), term in capped]
        zone = capped[0][1].zone.key
        with cursor(session) as rows:
            rows.execute(
                _EARNED,
                (zone, array({one[1] for one, _ in capped}), zone, min(days).replace(day=1), _month_end(max(days))),
            )
            caps.earned = {(customer_id, day): int(points) for customer_id, day, points in rows.fetchall()}
        return caps

    def room(self, purchase: Purchase, customer_id: str, term: Terms) -> int | None:
        """How many points this purchase may earn at most; None: the pack caps neither day nor month."""
        if not self.used or not _spans(term):
            return None
        caps, day = term.rules.earning.caps, term.day(purchase.occurred_at)
        room = []
        if caps.day is not None:
            room.append(caps.day - self.earned.get((customer_id, day), 0))
        if caps.month is not None:
            month = sum(
                points
                for (member, on), points in self.earned.items()
                if member == customer_id and (on.year, on.month) == (day.year, day.month)
            )
            room.append(caps.month - month)
        return max(min(room), 0)

    def count(self, purchase: Purchase, customer_id: str, term: Terms, points: int) -> None:
        """What this purchase earned counts for the next one."""
        if self.used:
            key = (customer_id, term.day(purchase.occurred_at))
            self.earned[key] = self.earned.get(key, 0) + points


def _spans(term: Terms) -> bool:
    caps = term.rules.earning.caps
    return caps.day is not None or caps.month is not None


def _month_end(day: date) -> date:
    return day.replace(day=monthrange(day.year, day.month)[1])
