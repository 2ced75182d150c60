"""What is known of a member's last twelve months, what a policy makes of it, and two policies side by side: pure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

from loyalty.earning.domain import Offer, Purchase
from loyalty.earning.refunds import Refund
from loyalty.policy.campaigns import CampaignRules
from loyalty.tiers.domain import Rise

Step = tuple[datetime, int]  # growth value and the instant it counts from


@dataclass(frozen=True, slots=True)
class Gave:
    """What a campaign gave to a purchase whose base was ``base`` points; ``tiers`` of its segment, empty: any.

    A multiple of the base where it has a ``multiplier``, else its bonus.
    """

    campaign: str
    clause: str
    points: int
    base: int
    multiplier: Decimal | None
    bonus: int
    tiers: frozenset[str]

    def again(self, base: int, tier: str, rules: CampaignRules | None) -> Offer | None:
        """What it gives to a base of so many points; None where the policy would not have let it start."""
        if rules is None or (self.tiers and tier not in self.tiers):
            return None
        if self.multiplier is None:
            points = self.points if self.bonus <= rules.bonus_up_to else 0
        else:
            points = self.points * base // self.base if self.multiplier <= rules.multiplier_up_to else 0
        return Offer(self.campaign, self.clause, None, points) if points else None


@dataclass(slots=True)
class Life:
    """What a member did, and where they stood when the replayed time began.

    ``growth`` and ``rises`` are those of before, and growth that no purchase brought; ``birthdays``: years whose
    birthday rule was used before; ``earned``: points by company day of the month in which the time begins. ``seen``:
    whether whoever tries the policy may see this member.
    """

    customer_id: str
    code: str | None
    born: date | None
    enrolled_at: datetime
    seen: bool
    growth: list[Step] = field(default_factory=list)
    rises: list[Rise] = field(default_factory=list)
    purchases: list[Purchase] = field(default_factory=list)
    refunds: list[Refund] = field(default_factory=list)
    birthdays: set[int] = field(default_factory=set)
    earned: dict[date, int] = field(default_factory=dict)
    gifts: dict[str, list[Gave]] = field(default_factory=dict)  # by purchase


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a policy makes of a life.

    ``points``: earned, net of refunds; ``unexpired``: those of them still alive now, if nothing had been spent;
    ``tier``: now.
    """

    points: int
    unexpired: int
    tier: str


@dataclass(slots=True)
class Comparison:
    """Two policies over the same lives, added up member by member."""

    members: int = 0
    purchases: int = 0
    points: list[int] = field(default_factory=lambda: [0, 0])  # in force, tried
    unexpired: list[int] = field(default_factory=lambda: [0, 0])
    moves: dict[tuple[str, str], int] = field(default_factory=dict)
    affected: list[dict[str, Any]] = field(default_factory=list)

    def add(self, life: Life, in_force: Outcome, tried: Outcome, most: int) -> None:
        """Count a member; of those whom the asker sees the ``most`` affected are kept."""
        self.members += 1
        self.purchases += len(life.purchases)
        for place, outcome in enumerate((in_force, tried)):
            self.points[place] += outcome.points
            self.unexpired[place] += outcome.unexpired
        move = (in_force.tier, tried.tier)
        self.moves[move] = self.moves.get(move, 0) + 1
        if in_force == tried or not life.seen:
            return
        self.affected.append(
            {
                "customer_id": life.customer_id,
                "code": life.code,
                "points": {
                    "in_force": in_force.points,
                    "tried": tried.points,
                    "delta": tried.points - in_force.points,
                },
                "tier": {"in_force": in_force.tier, "tried": tried.tier},
            }
        )
        if len(self.affected) > 50 * most:
            self.affected = self.most_affected(most)

    def kept(self, most: int) -> dict[str, Any]:
        """All of it as JSON, for the next step; of those affected the ``most``."""
        moves = [[before, after, members] for (before, after), members in self.moves.items()]
        return {
            "members": self.members, "purchases": self.purchases, "points": self.points, "unexpired": self.unexpired,
            "moves": moves, "affected": self.most_affected(most),
        }  # fmt: skip

    @classmethod
    def of(cls, kept: Mapping[str, Any]) -> Comparison:
        """What ``kept`` told, to be added to; an empty one begins anew."""
        moves = {(before, after): members for before, after, members in kept.get("moves", ())}
        return cls(**{**kept, "moves": moves})

    def most_affected(self, most: int) -> list[dict[str, Any]]:
        """Those whose points change most, either way."""
        order = sorted(self.affected, key=lambda row: (-abs(row["points"]["delta"]), row["customer_id"]))
        return order[:most]
