"""How often a member profited of campaigns counts for whom they became, and for themselves again once they part.

Both accounts are locked, and with them what is counted of them.
"""

from __future__ import annotations

import uuid

from sqlalchemy import select
from sqlalchemy.orm import Session

from loyalty.campaigns.domain import arm
from loyalty.campaigns.tables import CampaignMember, CampaignRow
from loyalty.merging.tables import Merge, MergedPart


def carry_counts(session: Session, merge: Merge) -> None:
    """What was counted of the absorbed member counts for the survivor: nobody profits twice as often by merging."""
    counted = (CampaignMember.member_id == merge.absorbed_id) & (CampaignMember.times > 0)
    for part in session.scalars(select(CampaignMember).where(counted).with_for_update()):
        session.add(MergedPart(merge_id=merge.id, campaign_id=part.campaign_id, times=part.times, points=part.points))
        _count(session, part.campaign_id, merge.survivor_id, part.times, part.points)
        part.times = part.points = 0
    session.flush()


def return_counts(session: Session, merge: Merge) -> None:
    """The exact inverse: what the survivor was given since stays counted with the survivor."""
    for came in session.scalars(select(MergedPart).where(MergedPart.merge_id == merge.id)):
        _count(session, came.campaign_id, merge.survivor_id, -came.times, -came.points)
        _count(session, came.campaign_id, merge.absorbed_id, came.times, came.points)
    session.flush()


def _count(session: Session, campaign_id: uuid.UUID, member_id: uuid.UUID, times: int, points: int) -> None:
    part = session.get(CampaignMember, (campaign_id, member_id), populate_existing=True, with_for_update=True)
    if part is None:
        held_out = session.get_one(CampaignRow, campaign_id).control_group
        part = CampaignMember(
            campaign_id=campaign_id, member_id=member_id, arm=arm(str(campaign_id), str(member_id), held_out),
            listed=False, times=0, points=0,
        )  # fmt: skip
        session.add(part)
    part.times += times
    part.points += points
