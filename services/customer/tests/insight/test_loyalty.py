"""Figures say their window, their population and what was left out."""

from __future__ import annotations

import pytest


@pytest.mark.rule("CG-25")
def test_rates_of_a_small_population_by_hand(admin, registered, told, sale, refund):
    patron = registered("甲", card="a")
    registered("乙", card="b")
    registered("丙", card="c", referred_by=patron["id"])
    registered("丁", card="d")
    returned = sale("d", "10.00", days_ago=5)
    told(
        sale("a", days_ago=100), sale("a", days_ago=60), sale("a", days_ago=10),  # twice 50 days apart: stays
        sale("b", days_ago=200), sale("b", days_ago=200),  # one day only, long ago: churned
        sale("c", days_ago=300), sale("c", days_ago=200),  # gap 100, away for 200 = 2 × 100: churned
        returned, refund(returned["data"]["purchase_id"], "10.00"),  # counts for nothing
        sale(None, days_ago=5), sale("unknown", days_ago=5),
    )  # fmt: skip

    figures = admin.get("/api/v1/insight/loyalty?from=2026-01-01&to=2026-11-20").json

    assert figures["customers"] == 3
    assert figures["repeat_purchase_rate"] == round(2 / 3, 6)
    assert figures["churn_rate"] == round(2 / 3, 6)
    assert figures["referral_rate"] == round(1 / 3, 6)
    assert figures["window"] == {"from": "2026-01-01", "to": "2026-11-20"}
    assert figures["left_out"] == {"anonymous_purchases": 1, "waiting_purchases": 1, "refunded_purchases": 1}


def test_without_purchases_every_rate_is_zero(admin):
    figures = admin.get("/api/v1/insight/loyalty").json

    assert (figures["customers"], figures["repeat_purchase_rate"]) == (0, 0.0)


def test_a_window_that_ends_before_it_begins_is_refused(admin):
    assert admin.get("/api/v1/insight/loyalty?from=2026-02-01&to=2026-01-01").status_code == 422
    assert admin.get("/api/v1/insight/loyalty?from=yesterday").status_code == 422


def test_rfm_cells_hold_every_buyer_once_and_the_best_stand_first(admin, registered, told, sale):
    for n in range(10):
        registered(f"客{n}", card=f"k{n}")
        told(*(sale(f"k{n}", f"{100 * (n + 1)}.00", days_ago=100 - 10 * n + k / 10) for k in range(1, n + 2)))

    rfm = admin.get("/api/v1/insight/rfm").json

    assert (rfm["customers"], sum(cell["customers"] for cell in rfm["cells"])) == (10, 10)
    best = rfm["cells"][0]
    assert (best["r"], best["m"]) == (5, 5)
