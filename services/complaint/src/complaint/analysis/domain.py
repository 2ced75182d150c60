"""Figures that reconcile, signals that are none of chance, and rates that name what they are a share of. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from math import sqrt
from typing import Any

Key = str | None
FEW = "fewer"  # the one bucket of all groups that are too small to be shown apart
BASELINE = 12  # periods that a signal is measured against
LEAST_BASELINE = 6  # with fewer, any limit would be a guess
RUN = 8  # so many periods in a row on one side of the mean are no chance (Western Electric)


class DoesNotReconcile(Exception):
    """A breakdown lost or doubled a case: never shown, always a fault of ours."""


def breakdown(name: str, counts: Mapping[Key, int], total: int, least: int = 0) -> dict[str, Any]:
    """Buckets, largest first, with their share, and the sum, which is the total: every case is in exactly one bucket.

    ``least``: groups below this size (who a complaint is against, decision 13) are told together, not apart. The key
    null is a case to which the question does not apply.
    """
    apart = {key: count for key, count in counts.items() if key is None or count >= least}
    together = sum(counts.values()) - sum(apart.values())
    rows = sorted(apart.items(), key=lambda row: (-row[1], row[0] is None, row[0] or ""))
    if together:
        rows.append((FEW, together))
    summed = sum(count for _, count in rows)
    if summed != total:
        raise DoesNotReconcile(f"{name}: {summed} of {total}")
    return {
        "sum": summed,
        "buckets": [{"key": key, "count": count, "share": share(count, total)} for key, count in rows],
    }


def share(part: int, whole: int) -> str | None:
    """A share as a decimal string with four places; None of nothing, because a share of nothing is no number."""
    if whole == 0:
        return None
    return format((Decimal(part) / whole).quantize(Decimal("0.0001"), ROUND_HALF_EVEN), "f")


def kpi(part: int, whole: int, target: Decimal) -> dict[str, Any]:
    """A rate beside its target. ``met`` is null where nothing was due: no merit and no failure."""
    rate = share(part, whole)
    met = None if rate is None else Decimal(part) / whole >= target
    return {"rate": rate, "target": format(target.normalize(), "f"), "met": met}


def pareto(counts: Mapping[Key, int]) -> list[dict[str, Any]]:
    """The few that make most of it: largest first, each with the share that all down to it make together."""
    total, so_far, rows = sum(counts.values()), 0, []
    for key, count in sorted(counts.items(), key=lambda row: (-row[1], row[0] is None, row[0] or "")):
        so_far += count
        rows.append({"key": key, "count": count, "cumulative": share(so_far, total)})
    return rows


@dataclass(frozen=True, slots=True)
class Signal:
    """Whether a number of cases differs from those before by more than chance does."""

    mean: str | None
    lower: str | None
    upper: str | None
    signal: str | None  # above | below | run_above | run_below; None: no signal
    because: str


def control_chart(before: Sequence[int], now: int) -> Signal:
    """A c-chart: counts of independent events scatter by the root of their mean, so three of these are the limits.

    ``before``: the periods before, oldest first. A week that is merely worse than the last is not a signal.
    """
    baseline = list(before)[-BASELINE:]
    if len(baseline) < LEAST_BASELINE:
        known = len(baseline)
        return Signal(None, None, None, None, f"{known} of the {LEAST_BASELINE} periods needed before this one")
    mean = sum(baseline) / len(baseline)
    width = 3 * sqrt(mean)
    lower, upper = max(0.0, mean - width), mean + width
    run = [*baseline, now][-RUN:]
    signal = None
    if now > upper:
        signal, because = "above", f"{now} is above the limit of {upper:.1f}"
    elif now < lower:
        signal, because = "below", f"{now} is below the limit of {lower:.1f}"
    elif len(run) == RUN and all(count > mean for count in run):
        signal, because = "run_above", f"{RUN} periods in a row above the mean of {mean:.1f}"
    elif len(run) == RUN and all(count < mean for count in run):
        signal, because = "run_below", f"{RUN} periods in a row below the mean of {mean:.1f}"
    else:
        because = f"{now} lies between {lower:.1f} and {upper:.1f}, as chance lets it"
    return Signal(f"{mean:.2f}", f"{lower:.2f}", f"{upper:.2f}", signal, because)
