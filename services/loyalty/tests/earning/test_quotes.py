"""What would this purchase earn? The same answer as the purchase itself, without any effect."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest


@pytest.mark.rule("CG-22")
@pytest.mark.rule("CG-24", partly="care plans are read, not run yet")
def test_a_quote_is_what_the_purchase_then_earns(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1", birthday="1990-11-05")
    programme.buys("1500.00", "P1", at=programme.clock.now() - timedelta(days=60))

    quote = api.post("quotes", {"customer_id": customer, "total": "37.50"}).get_json()
    assert programme.purse(customer)["pending"] == 0
    programme.buys("37.50", "P2")

    earned = programme.purse(customer)["pending"]
    assert (quote["points"], quote["growth"], quote["tier"]) == (earned, 37, "gold")
    assert [(step["rule"], step["points"]) for step in quote["breakdown"]] == [
        ("base", 37),
        ("tier bonus gold", 3),
        ("birthday", 37),
    ]
    again = api.post("quotes", {"identity": "card:1", "total": "37.50"}).get_json()
    assert again["points"] == 40  # the birthday's is used up


def test_a_stranger_is_quoted_as_a_new_member_and_an_unknown_name_not_found(api: Any) -> None:
    assert api.post("quotes", {"total": "37.50"}).get_json()["points"] == 37
    assert api.post("quotes", {"total": "37.50", "identity": "card:9"}).status_code == 404


def test_lines_that_do_not_add_up_are_refused(api: Any) -> None:
    lines = [{"sku": "W-500", "amount": "10.00"}, {"sku": "W-600", "amount": "20.00"}]

    assert api.post("quotes", {"total": "30.00", "lines": lines}).status_code == 200
    assert api.post("quotes", {"total": "31.00", "lines": lines}).status_code == 422
