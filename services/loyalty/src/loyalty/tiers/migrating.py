"""Who stood where at two instants: the matrix of tiers, from the history alone (CG-25)."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, ScalarSelect, case, exists, func, literal, or_, select
from sqlalchemy.orm import Session, aliased

from chassis.people.sight import seen_by
from chassis.web.principal import Principal
from loyalty.members.tables import Member
from loyalty.policy.rules import TierRules
from loyalty.tiers.domain import BENEATH
from loyalty.tiers.tables import TierChange


def tier_migration(
    session: Session, principal: Principal, start: datetime, end: datetime, rules: TierRules
) -> dict[str, Any]:
    """Members by their tier at ``start`` and at ``end``; null: not enrolled yet. Those of the caller's units."""
    first = rules.tiers[0].name
    was, is_ = tier_on_record(start, first).label("was"), tier_on_record(end, first).label("is")
    each = select(was, is_).where(Member.status == "active", Member.enrolled_at < end)
    condition = seen_by(principal, Member.unit)
    counted = (each if condition is None else each.where(condition)).subquery()
    rows = session.execute(
        select(counted.c.was, counted.c["is"], func.count()).group_by(counted.c.was, counted.c["is"])
    )
    rank = {None: -1} | {tier.name: place for place, tier in enumerate(rules.tiers)}
    items = [{"from": before, "to": after, "members": members} for before, after, members in rows]
    items.sort(key=lambda item: (rank.get(item["from"], 99), rank.get(item["to"], 99)))

    def moved(up: bool) -> int:
        return sum(
            item["members"]
            for item in items
            if item["from"] is not None and item["from"] != item["to"]
            and (rank.get(item["to"], 99) > rank.get(item["from"], 99)) is up
        )  # fmt: skip

    return {
        "items": items,
        "rose": moved(True),
        "fell": moved(False),
        "kept": sum(item["members"] for item in items if item["from"] == item["to"]),
        "new": sum(item["members"] for item in items if item["from"] is None),
    }


def tier_on_record(at: datetime, first: str) -> ColumnElement[str | None]:
    """The last step up to ``at`` that the history shows: neither what a grant hid, nor what was undone (windows.py)."""
    undoing, undone = aliased(TierChange), aliased(TierChange)
    step: ScalarSelect[str] = (
        select(TierChange.tier)
        .where(
            TierChange.member_id == Member.customer_id,
            TierChange.since <= at,
            TierChange.kind != BENEATH,
            ~exists().where(
                undoing.member_id == TierChange.member_id,
                undoing.revokes == TierChange.id,
                undoing.since <= TierChange.since,
            ),
            ~exists().where(
                undone.id == TierChange.revokes, or_(undone.kind == BENEATH, undone.since >= TierChange.since)
            ),
        )
        .order_by(TierChange.since.desc(), TierChange.id.desc())
        .limit(1)
        .scalar_subquery()
    )
    return case((Member.enrolled_at <= at, func.coalesce(step, first)), else_=literal(None))
