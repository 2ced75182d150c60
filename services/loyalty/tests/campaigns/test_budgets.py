"""A budget is never exceeded, however many tills ring at once."""

from __future__ import annotations

import threading
from typing import Any

import pytest
from sqlalchemy import text


@pytest.mark.rule("BK-05")
def test_of_many_purchases_at_once_no_more_is_given_than_the_budget_has(
    programme: Any, marketing: Any, in_balance: Any
) -> None:
    for number in range(12):
        programme.enrol(f"card:{number}")
    campaign = marketing.run("rush", bonus=10, budget=137)
    told = [programme.purchase("1.00", f"P{number}", by=f"card:{number % 12}") for number in range(48)]
    gate = threading.Barrier(4)

    def till(mine: list[Any]) -> None:
        gate.wait()
        for at in range(0, len(mine), 4):
            programme.tell("purchases", *mine[at : at + 4])

    tills = [threading.Thread(target=till, args=(told[number::4],)) for number in range(4)]
    for each in tills:
        each.start()
    for each in tills:
        each.join()

    (given,) = programme.rows("SELECT sum(points) AS points, count(*) AS lots FROM lot WHERE campaign = 'rush'")
    assert (given["points"], given["lots"]) == (137, 14), "thirteen whole gifts, and one of the 7 that were left"
    assert marketing.show(campaign)["granted"] == 137
    (earned,) = programme.rows("SELECT sum(pending) AS points FROM member")
    assert earned["points"] == 48 + 137
    in_balance()


def test_a_refund_does_not_give_the_budget_back(programme: Any, marketing: Any, in_balance: Any) -> None:
    """Else buying and refunding would keep a campaign alive for ever."""
    customer = programme.enrol("card:1")
    campaign = marketing.run("once", bonus=10, budget=10)

    programme.buys("5.00", "P1")
    programme.refunds("P1", "5.00")
    programme.buys("5.00", "P2")

    assert programme.purse(customer)["pending"] == 5
    cost = marketing.report(campaign)["cost"]
    assert (cost["points"], cost["taken_back"], cost["left"]) == (10, 10, 0)
    in_balance()


def test_a_spent_budget_and_a_purchase_it_is_not_about_wait_for_nobody(programme: Any, marketing: Any) -> None:
    customer = programme.enrol("card:1")
    marketing.run("spent", bonus=10, budget=10)
    programme.buys("5.00")
    marketing.run("elsewhere", bonus=10, budget=10, conditions={"stores": ["SH999"]})

    with programme.runtime.sessions.begin() as busy:
        busy.execute(text("SELECT FROM campaign FOR UPDATE"))
        programme.buys("5.00")  # would wait for ever if it asked for a budget

    assert programme.purse(customer)["pending"] == 5 + 10 + 5
