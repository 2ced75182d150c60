"""The counts behind reports and KPIs, each in one statement, of the cases that this caller may know of (decision 13).

Whoever a case is against finds it in no figure: the same condition that keeps it from lists keeps it from every count
here, so that the difference of two figures tells nothing either.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, String, and_, case, cast, func, or_, select, text, tuple_
from sqlalchemy.orm import Session

from complaint.analysis.domain import Key
from complaint.analysis.periods import Period
from complaint.cases.tables import Complaint
from complaint.clocks.tables import Clock
from complaint.resolution.tables import Compensation
from complaint.satisfaction.tables import Round

Condition = ColumnElement[bool]


def _against(kind: str) -> Any:
    return case((Complaint.against_kind == kind, Complaint.against_ref))


# Every case is in exactly one bucket of each; null: the question does not apply to it.
DIMENSIONS: Mapping[str, Any] = {
    "type": Complaint.type,
    "channel": Complaint.channel,
    "status": Complaint.status,
    "level": cast(Complaint.level, String),
    "group": func.split_part(Complaint.category, ".", 1),
    "category": Complaint.category,
    "cause": Complaint.cause,
    "unit": Complaint.unit,
    "against": Complaint.against_kind,
    "product": _against("product"),
    "store": _against("store"),
    "person": _against("staff"),
    "rounds": cast(Complaint.round, String),
    "outcome": Complaint.outcome,
}


def received_in(period: Period, visible: Condition) -> Condition:
    """The cases of a period: those received in it, that the caller may know of."""
    return and_(visible, Complaint.received_at >= period.start, Complaint.received_at < period.end)


def counted(session: Session, condition: Condition) -> tuple[int, dict[str, dict[Key, int]]]:
    """How many cases, and the same along every dimension: one scan, one snapshot."""
    names = list(DIMENSIONS)
    columns = [DIMENSIONS[name].label(name) for name in names]
    inner = select(*columns).where(condition).subquery()
    own = [inner.c[name] for name in names]
    sets = func.grouping_sets(*(tuple_(column) for column in own), text("()"))
    which = func.grouping(*own)
    total, found = 0, {name: dict[Key, int]() for name in names}
    for *keys, mask, count in session.execute(select(*own, which, func.count()).group_by(sets)):
        # The mask has a 0 bit for the one column that a row is grouped by, the first column leftmost.
        grouped = [place for place in range(len(names)) if not mask >> (len(names) - 1 - place) & 1]
        if not grouped:
            total = count
            continue
        (place,) = grouped
        found[names[place]][keys[place]] = count
    return total, found


def per_period(session: Session, periods: Sequence[Period], visible: Condition) -> list[int]:
    """How many cases came in each of these periods, which follow one another."""
    first, last = periods[0], periods[-1]
    edges = [period.start for period in periods]
    bucket = func.width_bucket(Complaint.received_at, edges)
    found = select(bucket, func.count()).where(
        visible, Complaint.received_at >= first.start, Complaint.received_at < last.end
    )
    counts: dict[int, int] = {row[0]: row[1] for row in session.execute(found.group_by(bucket))}
    return [counts.get(place, 0) for place in range(1, len(periods) + 1)]


def first_case_at(session: Session, visible: Condition) -> datetime | None:
    """When the first case came; before that, an empty period says nothing."""
    return session.scalar(select(func.min(Complaint.received_at)).where(visible))


def clocks_due(session: Session, period: Period, now: datetime, visible: Condition) -> list[Any]:
    """Per kind: clocks due in the period, met in time, late, still running in time; those no longer needed left out."""
    in_time = and_(Clock.met_at.is_not(None), Clock.met_at <= Clock.due_at)
    waiting = and_(Clock.ended_at.is_(None), Clock.due_at > now)
    void = and_(Clock.status == "stopped", Clock.met_at.is_(None))
    found = (
        select(
            Clock.kind,
            func.count().label("due"),
            func.count().filter(in_time).label("met"),
            func.count().filter(waiting).label("waiting"),
        )
        .join(Complaint, Complaint.id == Clock.complaint_id)
        .where(visible, Clock.due_at >= period.start, Clock.due_at < period.end, ~void)
        .group_by(Clock.kind)
        .order_by(Clock.kind)
    )
    return list(session.execute(found))


def first_contacts(session: Session, period: Period, now: datetime, visible: Condition) -> Any:
    """Of the cases received in the period: first contacts owed, made in time, and those that still have time."""
    in_time = and_(Clock.met_at.is_not(None), Clock.met_at <= Clock.due_at)
    void = and_(Clock.status == "stopped", Clock.met_at.is_(None))
    found = (
        select(
            func.count().label("due"),
            func.count().filter(in_time).label("on_time"),
            func.count().filter(and_(Clock.ended_at.is_(None), Clock.due_at > now)).label("waiting"),
        )
        .select_from(Complaint)
        .join(Clock, and_(Clock.complaint_id == Complaint.id, Clock.kind == "first_contact", Clock.sequence == 1))
        .where(received_in(period, visible), ~void)
    )
    return session.execute(found).one()


def callbacks(session: Session, period: Period, now: datetime, visible: Condition, closes: Sequence[int]) -> list[Any]:
    """Per handler of the round: call-backs due (the rounds resolved in the period), and how far each came.

    ``waiting``: not tried yet, and their time is not over. ``attempted`` includes answers by link, which need no call.
    A case that was withdrawn before anybody asked owes none.
    """
    attempted = or_(Round.attempts > 0, Round.reached)
    found = (
        select(
            Round.handler,
            func.count().label("due"),
            func.count().filter(and_(~attempted, Clock.ended_at.is_(None), Clock.due_at > now)).label("waiting"),
            func.count().filter(attempted).label("attempted"),
            func.count().filter(Round.reached).label("reached"),
            func.count().filter(Round.satisfaction.is_not(None)).label("answered"),
            func.count().filter(Round.satisfaction.in_(closes)).label("satisfied"),
        )
        .join(Complaint, Complaint.id == Round.complaint_id)
        .outerjoin(
            Clock,
            and_(Clock.complaint_id == Round.complaint_id, Clock.round == Round.round, Clock.kind == "callback"),
        )
        .where(visible, Round.resolved_at >= period.start, Round.resolved_at < period.end)
        .where(or_(Complaint.status != "withdrawn", attempted, Round.round < Complaint.round))
        .group_by(Round.handler)
        .order_by(Round.handler)
    )
    return list(session.execute(found))


def compensated(session: Session, period: Period, visible: Condition) -> Any:
    """What was granted in the period: grants, cases, points, and all of it as money."""
    found = (
        select(
            func.count().label("grants"),
            func.count(Compensation.complaint_id.distinct()).label("cases"),
            func.coalesce(func.sum(Compensation.points), 0).label("points"),
            func.coalesce(func.sum(Compensation.value), 0).label("value"),
        )
        .join(Complaint, Complaint.id == Compensation.complaint_id)
        .where(visible, Compensation.granted_at >= period.start, Compensation.granted_at < period.end)
    )
    return session.execute(found).one()


def repeated(session: Session, condition: Condition) -> int:
    """How many cases are the second on the same matter."""
    return session.scalar(select(func.count()).where(condition, Complaint.repeat_of.is_not(None))) or 0
