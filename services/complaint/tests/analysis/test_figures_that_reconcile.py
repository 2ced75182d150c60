"""The pure part of analysis: buckets that sum up, signals that are no chance, rates that name their whole."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaint.analysis.domain import FEW, DoesNotReconcile, breakdown, control_chart, kpi, pareto, share
from complaint.analysis.periods import month, span, week, week_with

SHANGHAI = ZoneInfo("Asia/Shanghai")


@pytest.mark.rule("FR-10")
@given(st.dictionaries(st.none() | st.text(max_size=4), st.integers(1, 50), max_size=12), st.integers(0, 9))
def test_every_case_is_in_exactly_one_bucket_and_the_sum_is_shown(counts: dict[str | None, int], least: int) -> None:
    counts.pop(FEW, None)
    shown = breakdown("unit", counts, sum(counts.values()), least)

    assert shown["sum"] == sum(bucket["count"] for bucket in shown["buckets"]) == sum(counts.values())
    assert all(b["count"] >= least or b["key"] in (None, FEW) for b in shown["buckets"])


def test_a_breakdown_that_lost_a_case_is_never_shown() -> None:
    with pytest.raises(DoesNotReconcile):
        breakdown("unit", {"SH001": 3}, 4)


@pytest.mark.rule("TR-11")
def test_groups_too_small_to_stay_unnamed_are_told_together() -> None:
    shown = breakdown("person", {"wang": 6, "ma": 4, "li": 1, None: 9}, 20, least=5)

    assert [(bucket["key"], bucket["count"]) for bucket in shown["buckets"]] == [(None, 9), ("wang", 6), (FEW, 5)]


def test_a_share_of_nothing_is_no_number() -> None:
    assert share(0, 0) is None
    assert (share(1, 3), share(2, 3), share(5, 5)) == ("0.3333", "0.6667", "1.0000")
    assert kpi(0, 0, Decimal("0.95")) == {"rate": None, "target": "0.95", "met": None}


def test_a_target_is_met_by_the_exact_share_not_by_its_rounding() -> None:
    assert kpi(9499, 10_000, Decimal("0.95"))["met"] is False
    assert kpi(949_996, 1_000_000, Decimal("0.95")) == {"rate": "0.9500", "target": "0.95", "met": False}
    assert kpi(95, 100, Decimal("0.95"))["met"] is True


@pytest.mark.rule("CG-17", partly="corrective actions and the measured recurrence follow")
def test_the_few_that_make_most_of_it_come_first() -> None:
    rows = pareto({"damaged": 6, "late": 3, None: 1})

    assert [(row["key"], row["cumulative"]) for row in rows] == [
        ("damaged", "0.6000"), ("late", "0.9000"), (None, "1.0000"),
    ]  # fmt: skip


@pytest.mark.rule("CG-17", partly="corrective actions and the measured recurrence follow")
@pytest.mark.parametrize(
    ("before", "now", "signal"),
    [
        ([10] * 12, 12, None),  # a wiggle
        ([10] * 12, 20, "above"),
        ([10] * 12, 0, "below"),
        ([9, 11, 10, 9, 11, 10, 9, 11, 10, 9, 11, 10], 19, None),
        ([4, 4, 4, 4, 4, 12, 12, 12, 12, 12, 12, 12], 12, "run_above"),
        ([12, 12, 12, 12, 12, 4, 4, 4, 4, 4, 4, 4], 4, "run_below"),
        ([10] * 5, 100, None),  # too few to know
        ([], 3, None),
    ],
)
def test_a_signal_is_what_chance_does_not_explain(before: list[int], now: int, signal: str | None) -> None:
    assert control_chart(before, now).signal == signal


def test_a_week_is_monday_to_sunday_of_the_companys_days() -> None:
    period = week("2026-W47", SHANGHAI)

    assert (period.first, period.last) == (date(2026, 11, 16), date(2026, 11, 22))
    assert (period.start, period.end) == (
        datetime(2026, 11, 16, tzinfo=SHANGHAI), datetime(2026, 11, 23, tzinfo=SHANGHAI),
    )  # fmt: skip
    assert period.before().name == "2026-W46"
    assert week_with(date(2027, 1, 1), SHANGHAI).name == "2026-W53"


def test_months_and_spans() -> None:
    assert (month("2026-02", SHANGHAI).last, month("2026-01", SHANGHAI).before().name) == (date(2026, 2, 28), "2025-12")
    days = span(date(2026, 11, 1), date(2026, 11, 10), SHANGHAI)
    assert (days.before().first, days.before().last) == (date(2026, 10, 22), date(2026, 10, 31))


@pytest.mark.parametrize("name", ["2026-W54", "2026-W00", "2026-47", "0001-W01", "2026-W47\n", "９９９９-W01"])
def test_what_names_no_week_is_refused(name: str) -> None:
    with pytest.raises(ValueError, match=r".*"):
        week(name, SHANGHAI)
