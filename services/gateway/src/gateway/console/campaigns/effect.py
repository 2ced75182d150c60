"""What a campaign's report says, in words and as a picture: pure but for the language.

The service gives figures; a manager asks whether it worked. The sentences say so, and say as plainly when nobody can
tell.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from gateway.console.words import N_, gettext, money, number, percent

WIDTH, SIDE = 400, 84  # of the picture; what is left free at each side for the figures


@dataclass(frozen=True, slots=True)
class Interval:
    """Where the marks of the interval stand, in units of the picture, and what they say."""

    low: float
    point: float
    high: float
    zero: float
    low_said: str
    point_said: str
    high_said: str


def verdict(report: Mapping[str, Any]) -> list[str]:
    """What it says, sentence by sentence: the effect, whether it may be chance, what the extra spend cost."""
    uplift, cost = report["uplift"], report["cost"]
    if report["status"] == "draft":
        return [gettext("It has not started, so there is nothing to tell yet.")]
    if uplift is None or nobody_bought(report):
        return [_why_untold(report), _cost(cost)]
    return [_effect(uplift, cost["currency"]), _chance(uplift), _worth(report) or _cost(cost)]


def interval(report: Mapping[str, Any]) -> Interval | None:
    """The picture of the uplift: its range, its middle, and where no effect would be."""
    uplift = report["uplift"]
    if uplift is None or nobody_bought(report):
        return None
    low, point, high = (float(uplift[name]) for name in ("low", "difference", "high"))
    least, most = min(low, 0.0), max(high, 0.0)
    width = (most - least) or 1.0

    def at(value: float) -> float:
        return round(SIDE + (value - least) / width * (WIDTH - 2 * SIDE), 1)

    said = [_signed(value, report["cost"]["currency"]) for value in (low, point, high)]
    return Interval(at(low), at(point), at(high), at(0.0), *said)


def charts(report: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Spend of both groups, and the course by week, as the page's script draws them."""
    arms, weeks = report["arms"], report["by_week"]
    purchases = [one["purchases"] for one in weeks]
    return {
        "arms": {
            "categories": [arm_words(arm["arm"]) for arm in arms],
            "series": [{"name": gettext("Spend per member"), "data": [float(arm["mean"]) for arm in arms]}],
        },
        "weeks": {
            "categories": [one["week"] for one in weeks],
            "series": [
                {"name": gettext("Points"), "data": [one["points"] for one in weeks]},
                {"name": gettext("Purchases"), "type": "line", "right": True, "data": purchases},
            ],
        },
    }  # fmt: skip


def nobody_bought(report: Mapping[str, Any]) -> bool:
    """Whether nobody of either group bought while it ran: there is nothing to compare."""
    return not any(arm["buyers"] for arm in report["arms"])


def arm_words(arm: str) -> str:
    """The two groups as people say them."""
    return gettext("Offered it") if arm == "treated" else gettext("Held out")


def _effect(uplift: Mapping[str, Any], currency: str) -> str:
    difference = Decimal(uplift["difference"])
    amount = money(abs(difference), currency)
    if uplift["relative"] is None:  # who was held out spent nothing: no share of that
        return gettext("Members who were offered it spent %(amount)s each, those held out nothing.", amount=amount)
    share = percent(abs(Decimal(uplift["relative"])))
    if difference >= 0:
        more = N_("Members who were offered it spent %(amount)s more each than those held out (%(share)s).")
        return gettext(more, amount=amount, share=share)
    less = N_("Members who were offered it spent %(amount)s less each than those held out (%(share)s).")
    return gettext(less, amount=amount, share=share)


def _chance(uplift: Mapping[str, Any]) -> str:
    sure = percent(uplift["confidence"])
    if uplift["shown"]:
        return gettext("With %(sure)s confidence this is more than chance.", sure=sure)
    return gettext(
        "It may be chance: the range that is %(sure)s sure has no effect at all in it. "
        "A longer time or a larger control group would tell.",
        sure=sure,
    )


def _worth(report: Mapping[str, Any]) -> str:
    uplift, cost = report["uplift"], report["cost"]
    spent, brought = Decimal(cost["money"]), Decimal(uplift["extra_spend"])
    if not uplift["shown"] or brought <= 0 or spent <= 0:
        return ""
    return gettext(
        "Over all who were offered it that is about %(brought)s more spend for points that cost %(spent)s: "
        "%(each)s for each %(one)s of points.",
        brought=money(brought, cost["currency"]), spent=money(spent, cost["currency"]),
        each=money(brought / spent, cost["currency"]), one=money(1, cost["currency"]),
    )  # fmt: skip


def _cost(cost: Mapping[str, Any]) -> str:
    return gettext(
        "It gave %(points)s points to %(purchases)s purchases, which cost %(spent)s.",
        points=number(cost["points"] - cost["taken_back"]), purchases=number(cost["purchases"]),
        spent=money(cost["money"], cost["currency"]),
    )  # fmt: skip


def _why_untold(report: Mapping[str, Any]) -> str:
    if report["uplift"] is not None:
        return gettext("Nobody of either group bought anything while it ran: there is nothing to compare.")
    if any(arm["arm"] == "control" for arm in report["arms"]):
        return gettext("One of the groups has fewer than two members: what it changed can't be told.")
    return gettext("Nobody was held out, so nobody can tell what it changed; only what it cost is known.")


def _signed(value: float, currency: str) -> str:
    return ("+" if value > 0 else "−" if value < 0 else "") + money(abs(value), currency)
