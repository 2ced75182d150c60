"""Weekly and monthly reports, KPIs for any span: figures that reconcile, with targets beside them (CG-17, FR-10)."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from sqlalchemy.orm import Session

from chassis.policies.book import Policy
from chassis.runtime import Context
from chassis.web.fields import plain
from chassis.web.principal import Principal
from complaint.analysis import figures
from complaint.analysis.domain import BASELINE, breakdown, control_chart, kpi, pareto, share
from complaint.analysis.periods import Period
from complaint.cases.visibility import visible
from complaint.policy import ComplaintPolicy

PERSONAL = "person"  # the dimension that points at somebody: small groups of it are told together


def report(context: Context, principal: Principal, period: Period) -> dict[str, Any]:
    """The report of a week or a month, of every case received in it that the caller may know of."""
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    rules: ComplaintPolicy = policy.rules
    sees = visible(session, principal)
    received = figures.received_in(period, sees)
    total, counts = figures.counted(session, received)
    found = kpis(context, principal, period)
    return {
        **_heading(period, policy),
        "as_of": now,
        "total": total,
        "breakdowns": {
            name: breakdown(name, found_counts, total, rules.reports.least if name == PERSONAL else 0)
            for name, found_counts in counts.items()
        },
        "pareto": {"category": pareto(counts["category"]), "cause": pareto(counts["cause"])},
        "trend": _trend(session, period, sees, total),
        "clocks": _clocks(session, period, context, sees),
        "repeats": {"count": (again := figures.repeated(session, received)), "share": share(again, total)},
        "compensation": _compensation(session, period, sees, policy),
        "kpis": {name: found[name] for name in ("first_contact", "callback", "satisfaction")},
        "gaps": _gaps(found),
        "clause": rules.reports.clause,
        "policyversion": policy.version,
    }


def kpis(context: Context, principal: Principal, period: Period) -> dict[str, Any]:
    """First contact on time, call-back rate, satisfaction: each with what it is a share of, and its target (TR-12)."""
    session, policy, now = context.session, context.policies.in_force(), context.clock.now()
    rules: ComplaintPolicy = policy.rules
    sees = visible(session, principal)
    contact = figures.first_contacts(session, period, now, sees)
    handlers = figures.callbacks(session, period, now, sees, sorted(rules.satisfaction.closes))
    asked = {name: sum(getattr(row, name) for row in handlers) for name in _ASKED}
    judged = contact.due - contact.waiting
    late = judged - contact.on_time
    return {
        **_heading(period, policy),
        "as_of": now,
        "first_contact": {
            "due": contact.due, "waiting": contact.waiting, "on_time": contact.on_time, "late": late,
            **kpi(contact.on_time, judged, rules.kpis.first_contact_on_time),
        },
        "callback": {
            **asked,
            "reached_share": share(asked["reached"], asked["attempted"]),
            **kpi(asked["attempted"], asked["due"] - asked["waiting"], rules.kpis.callback_rate),
        },
        "satisfaction": {
            "answered": asked["answered"], "satisfied": asked["satisfied"],
            **kpi(asked["satisfied"], asked["answered"], rules.kpis.satisfaction),
        },
        "by_handler": [_of_handler(row, rules.reports.least) for row in handlers],
        "clause": rules.kpis.clause,
        "policyversion": policy.version,
    }  # fmt: skip


_ASKED = ("due", "waiting", "attempted", "reached", "answered", "satisfied")


def _of_handler(row: Any, least: int) -> dict[str, Any]:
    """One handler's rounds. Of few answers there is no rate: it would judge somebody by chance."""
    told = {name: getattr(row, name) for name in _ASKED}
    rate = share(row.satisfied, row.answered) if row.answered >= least else None
    return {"handler": row.handler, **told, "rate": rate}


def _heading(period: Period, policy: Policy) -> dict[str, Any]:
    return {
        "period": {
            "name": period.name, "first": period.first, "last": period.last, "start": period.start.astimezone(UTC),
            "end": period.end.astimezone(UTC),
            "time_zone": policy.company.time_zone.key,
        }
    }  # fmt: skip


def _trend(session: Session, period: Period, sees: figures.Condition, total: int) -> dict[str, Any]:
    """This period against those before it, as far back as there were cases at all."""
    began = figures.first_case_at(session, sees)
    periods = [period]
    while began is not None and len(periods) <= BASELINE and periods[0].before().end > began:
        periods.insert(0, periods[0].before())
    before = periods[:-1]
    counts = figures.per_period(session, before, sees) if before else []
    chart = control_chart(counts, total)
    shown = [{"period": each.name, "count": count} for each, count in zip(before, counts, strict=True)]
    return {
        "periods": [*shown, {"period": period.name, "count": total}],
        "mean": chart.mean, "lower": chart.lower, "upper": chart.upper, "signal": chart.signal,
        "because": chart.because,
    }  # fmt: skip


def _clocks(session: Session, period: Period, context: Context, sees: figures.Condition) -> list[dict[str, Any]]:
    rows = figures.clocks_due(session, period, context.clock.now(), sees)
    return [
        {
            "kind": row.kind, "due": row.due, "waiting": row.waiting, "met": row.met,
            "missed": row.due - row.waiting - row.met, "rate": share(row.met, row.due - row.waiting),
        }
        for row in rows
    ]  # fmt: skip


def _compensation(session: Session, period: Period, sees: figures.Condition, policy: Policy) -> dict[str, Any]:
    granted = figures.compensated(session, period, sees)
    return {
        "grants": granted.grants, "cases": granted.cases, "points": int(granted.points),
        "value": plain(granted.value), "currency": policy.company.currency,
    }  # fmt: skip


def _gaps(found: dict[str, Any]) -> list[dict[str, Any]]:
    """The targets that were missed: what the evaluation has to speak of (TR-20)."""
    return [
        {"kpi": name, "rate": found[name]["rate"], "target": found[name]["target"]}
        for name in ("first_contact", "callback", "satisfaction")
        if found[name]["met"] is False
    ]
