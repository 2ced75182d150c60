"""Campaigns on the hot path: asked once per batch, and no further where none runs.

A budget is the one thing that members share. Its row is locked after all accounts and keys, for the batches alone
that hold a purchase it may pay for, and until they commit: two batches can never promise the same points.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy.orm import Session

from loyalty.campaigns.domain import NOBODY, Campaign, Profile, read_campaign
from loyalty.earning.domain import Offer, Purchase, Taken, Worth
from loyalty.earning.terms import Terms
from loyalty.ledger.statements import array, cursor

_RUNNING = """
    SELECT id::text, code, clause, runs_from, runs_until, multiplier, bonus, conditions, control_group, times, budget
    FROM campaign WHERE runs_from IS NOT NULL AND runs_until > %s AND runs_from <= %s ORDER BY id
"""
_COLUMNS = (
    "id", "code", "clause", "runs_from", "runs_until", "multiplier", "bonus", "conditions", "control_group", "times",
    "budget",
)  # fmt: skip
_PROFILES = "SELECT customer_id::text, grade, classes, tags FROM member_profile WHERE customer_id = ANY(%s::uuid[])"
_TIMES = """
    SELECT campaign_id::text, member_id::text, times FROM campaign_member
    WHERE campaign_id = ANY(%s::uuid[]) AND member_id = ANY(%s::uuid[])
"""
# Spent budgets are left out, and so never locked: they can only stay spent.
_BUDGETS = """
    SELECT id::text, budget - granted FROM campaign WHERE id = ANY(%s::uuid[]) AND granted < budget ORDER BY id
"""
_GRANT = """
    UPDATE campaign SET granted = granted + n.points
    FROM unnest(%s::uuid[], %s::bigint[]) AS n (id, points) WHERE campaign.id = n.id
"""
_TAKE_PART = """
    INSERT INTO campaign_member (campaign_id, member_id, arm, listed, times, points)
    SELECT campaign, member, arm, false, times, points
    FROM unnest(%s::uuid[], %s::uuid[], %s::text[], %s::int[], %s::bigint[])
        AS n (campaign, member, arm, times, points) ORDER BY campaign, member
    ON CONFLICT (campaign_id, member_id) DO UPDATE
        SET times = campaign_member.times + excluded.times, points = campaign_member.points + excluded.points
"""


@dataclass
class Running:
    """The campaigns that purchases of a batch may profit from, what their budgets leave, and who took part."""

    session: Session
    found: dict[str, list[Campaign]] = field(default_factory=dict)  # by purchase
    profiles: dict[str, Profile] = field(default_factory=dict)
    rooms: dict[str, int] = field(default_factory=dict)  # campaign → points its budget leaves
    times: dict[tuple[str, str], int] = field(default_factory=dict)  # (campaign, member) → how often already
    granted: dict[str, int] = field(default_factory=dict)
    parts: dict[tuple[str, str], list[Any]] = field(default_factory=dict)  # (campaign, member) → arm, times, points

    @classmethod
    def load(
        cls,
        session: Session,
        taken: Sequence[Taken],
        terms: Mapping[str, Terms],
        born: Mapping[str, Any],
        *,
        for_good: bool = True,
    ) -> Running:
        """Read what concerns these purchases; ``born``: birthdays of their members.

        ``for_good`` locks the budgets; a quote leaves them alone.
        """
        running = cls(session)
        bounded = [one for one in taken if terms[one[0].purchase_id].rules.campaigns is not None]
        if not bounded:
            return running
        campaigns = _running(session, [purchase.occurred_at for purchase, _, _ in bounded])
        if not campaigns:
            return running
        for purchase, customer_id, _ in bounded:
            local = purchase.occurred_at.astimezone(terms[purchase.purchase_id].zone)
            mine = [each for each in campaigns if each.concerns(purchase, local, born.get(customer_id))]
            if mine:
                running.found[purchase.purchase_id] = mine
        if running.found:
            running._ask({one[1] for one in bounded if one[0].purchase_id in running.found}, for_good)
        return running

    def offers(self, purchase: Purchase, customer_id: str, tier: str) -> list[Offer]:
        """What is promised to this purchase, its member standing in ``tier``."""
        return [
            each.offer(purchase, customer_id, self.rooms.get(each.id, 0) if each.budgeted else None)
            for each in self.found.get(purchase.purchase_id, ())
            if each.segment.holds(tier, self.profiles.get(customer_id, NOBODY))
            and (each.times is None or self.times.get((each.id, customer_id), 0) < each.times)
        ]

    def count(self, purchase: Purchase, customer_id: str, offers: Sequence[Offer], worth: Worth) -> None:
        """What a purchase was given lessens the budgets; who was in the control group is remembered as well."""
        if not offers:
            return
        by_code = {each.code: each for each in self.found[purchase.purchase_id]}
        gifts = {gift.campaign: gift.points for gift in worth.gifts}
        for offer in offers:
            campaign, points = by_code[offer.campaign], gifts.get(offer.campaign, 0)
            if campaign.budgeted and points:
                self.rooms[campaign.id] -= points
                self.granted[campaign.id] = self.granted.get(campaign.id, 0) + points
            key, once = (campaign.id, customer_id), 1 if points else 0
            self.times[key] = self.times.get(key, 0) + once
            if campaign.control_group or campaign.times is not None:
                part = self.parts.setdefault(key, [campaign.arm_of(customer_id), 0, 0])
                part[1] += once
                part[2] += points

    def write(self) -> None:
        """Charge the budgets and remember who took part."""
        if not self.granted and not self.parts:
            return
        with cursor(self.session) as rows:
            if self.granted:
                rows.execute(_GRANT, (array(self.granted), array(self.granted.values())))
            if self.parts:
                campaigns, members = zip(*self.parts, strict=True)
                arms, times, points = zip(*self.parts.values(), strict=True)
                rows.execute(_TAKE_PART, (array(campaigns), array(members), list(arms), array(times), array(points)))

    def _ask(self, members: set[str], for_good: bool) -> None:
        campaigns = {each.id: each for mine in self.found.values() for each in mine}
        with cursor(self.session) as rows:
            if any(each.segment.asks_the_registry for each in campaigns.values()):
                rows.execute(_PROFILES, (array(members),))
                self.profiles = {id_: Profile(grade, classes, frozenset(tags)) for id_, grade, classes, tags in rows}
            if counted := [each.id for each in campaigns.values() if each.times is not None]:
                rows.execute(_TIMES, (array(counted), array(members)))
                self.times = {(campaign, member): times for campaign, member, times in rows}
            if budgets := [each.id for each in campaigns.values() if each.budgeted]:
                rows.execute(_BUDGETS + (" FOR UPDATE" if for_good else ""), (array(budgets),))
                self.rooms = dict(rows.fetchall())


def _running(session: Session, times: Sequence[datetime]) -> list[Campaign]:
    with cursor(session) as rows:
        rows.execute(_RUNNING, (min(times), max(times)))
        return [read_campaign(dict(zip(_COLUMNS, row, strict=True))) for row in rows.fetchall()]
