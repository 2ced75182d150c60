"""Reports and KPIs as they are shown."""

from __future__ import annotations

from chassis.web import Schema, fields


class PeriodSchema(Schema):
    """Company days from `first` to `last`, and the instants between which they lie."""

    name = fields.String(required=True)
    first = fields.Day(required=True)
    last = fields.Day(required=True)
    start = fields.Instant(required=True)
    end = fields.Instant(required=True)
    time_zone = fields.String(required=True)


class BucketSchema(Schema):
    """Cases that have one thing in common. `key` null: it does not apply; `fewer`: groups too small to be shown."""

    key = fields.String(required=True, allow_none=True)
    count = fields.Whole(min=0, required=True)
    share = fields.String(required=True, allow_none=True)


class BreakdownSchema(Schema):
    """Every case in exactly one bucket; `sum` is the report's total."""

    sum = fields.Whole(min=0, required=True)
    buckets = fields.List(fields.Nested(BucketSchema), required=True)


class ParetoRowSchema(Schema):
    """A bucket, and the share that all down to it make together."""

    key = fields.String(required=True, allow_none=True)
    count = fields.Whole(min=0, required=True)
    cumulative = fields.String(required=True, allow_none=True)


class ParetoSchema(Schema):
    """The few that make most of it."""

    category = fields.List(fields.Nested(ParetoRowSchema), required=True)
    cause = fields.List(fields.Nested(ParetoRowSchema), required=True)


class PointSchema(Schema):
    """Cases of one period."""

    period = fields.String(required=True)
    count = fields.Whole(min=0, required=True)


class TrendSchema(Schema):
    """A control chart: a signal is what chance does not explain."""

    periods = fields.List(fields.Nested(PointSchema), required=True, metadata={"description": "oldest first"})
    mean = fields.String(required=True, allow_none=True)
    lower = fields.String(required=True, allow_none=True)
    upper = fields.String(required=True, allow_none=True)
    signal = fields.Choice("above", "below", "run_above", "run_below", required=True, allow_none=True)
    because = fields.String(required=True)


class AttainmentSchema(Schema):
    """Clocks of one kind that fell due in the period. `rate` is of those whose time is over or that were met."""

    kind = fields.String(required=True)
    due = fields.Whole(min=0, required=True)
    waiting = fields.Whole(min=0, required=True, metadata={"description": "still in time"})
    met = fields.Whole(min=0, required=True)
    missed = fields.Whole(min=0, required=True)
    rate = fields.String(required=True, allow_none=True)


class RepeatsSchema(Schema):
    """Cases that are the second on the same matter."""

    count = fields.Whole(min=0, required=True)
    share = fields.String(required=True, allow_none=True)


class CompensationReportSchema(Schema):
    """What was granted in the period, points counted as money."""

    grants = fields.Whole(min=0, required=True)
    cases = fields.Whole(min=0, required=True)
    points = fields.Points(required=True)
    value = fields.Money(required=True)
    currency = fields.String(required=True)


class RateSchema(Schema):
    """A share beside its target; null where there was nothing to judge."""

    rate = fields.String(required=True, allow_none=True)
    target = fields.String(required=True)
    met = fields.Flag(required=True, allow_none=True)


class FirstContactKpiSchema(RateSchema):
    """Of the cases received in the period. `rate` = on_time ÷ (due - waiting)."""

    due = fields.Whole(min=0, required=True)
    waiting = fields.Whole(min=0, required=True, metadata={"description": "not made yet, and still in time"})
    on_time = fields.Whole(min=0, required=True)
    late = fields.Whole(min=0, required=True)


class CallbackKpiSchema(RateSchema):
    """Of the rounds resolved in the period. `rate` = attempted ÷ (due - waiting)."""

    due = fields.Whole(min=0, required=True)
    waiting = fields.Whole(min=0, required=True, metadata={"description": "not tried yet, and still in time"})
    attempted = fields.Whole(min=0, required=True)
    reached = fields.Whole(min=0, required=True)
    reached_share = fields.String(required=True, allow_none=True, metadata={"description": "reached ÷ attempted"})
    answered = fields.Whole(min=0, required=True)
    satisfied = fields.Whole(min=0, required=True)


class SatisfactionKpiSchema(RateSchema):
    """`rate` = satisfied ÷ answered."""

    answered = fields.Whole(min=0, required=True)
    satisfied = fields.Whole(min=0, required=True)


class HandlerSchema(Schema):
    """The rounds that somebody resolved. Of few answers there is no `rate`: it would judge somebody by chance."""

    handler = fields.String(required=True, allow_none=True)
    due = fields.Whole(min=0, required=True)
    waiting = fields.Whole(min=0, required=True)
    attempted = fields.Whole(min=0, required=True)
    reached = fields.Whole(min=0, required=True)
    answered = fields.Whole(min=0, required=True)
    satisfied = fields.Whole(min=0, required=True)
    rate = fields.String(required=True, allow_none=True)


class KpiSetSchema(Schema):
    """The three."""

    first_contact = fields.Nested(FirstContactKpiSchema, required=True)
    callback = fields.Nested(CallbackKpiSchema, required=True)
    satisfaction = fields.Nested(SatisfactionKpiSchema, required=True)


class GapSchema(Schema):
    """A target that was missed."""

    kpi = fields.String(required=True)
    rate = fields.String(required=True)
    target = fields.String(required=True)


class KpisSchema(KpiSetSchema):
    """KPIs of a span of days."""

    period = fields.Nested(PeriodSchema, required=True)
    as_of = fields.Instant(required=True)
    by_handler = fields.List(fields.Nested(HandlerSchema), required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)


class ReportSchema(Schema):
    """A week or a month."""

    period = fields.Nested(PeriodSchema, required=True)
    as_of = fields.Instant(required=True)
    total = fields.Whole(min=0, required=True)
    breakdowns = fields.Dict(keys=fields.String(), values=fields.Nested(BreakdownSchema), required=True)
    pareto = fields.Nested(ParetoSchema, required=True)
    trend = fields.Nested(TrendSchema, required=True)
    clocks = fields.List(fields.Nested(AttainmentSchema), required=True)
    repeats = fields.Nested(RepeatsSchema, required=True)
    compensation = fields.Nested(CompensationReportSchema, required=True)
    kpis = fields.Nested(KpiSetSchema, required=True)
    gaps = fields.List(fields.Nested(GapSchema), required=True)
    clause = fields.String(required=True)
    policyversion = fields.String(required=True)
