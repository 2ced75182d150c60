"""A fact counts once, in both services alike: however often, in whatever order, under whatever id it is told."""

from __future__ import annotations

import pytest

from chassis.testkit.builders import Purchase
from tests.pair import Pair

pytestmark = pytest.mark.database


def sales(pair: Pair, customer_id: str) -> list[dict[str, object]]:
    return list(pair.get(pair.customer, "purchases", customer_id=customer_id)["items"])


def test_the_same_event_twice_in_one_batch_counts_once(pair: Pair) -> None:
    customer = pair.register("8801")
    event = Purchase(total="88.00").event()

    said = pair.tell(event, event)
    again = pair.tell(event)

    assert said == (["accepted", "duplicate"], ["accepted", "duplicate"])
    assert again == (["duplicate"], ["duplicate"])
    assert pair.purse(customer)["pending"] == 88
    assert len(sales(pair, customer)) == len(pair.archived(customer, "points.earned")) == 1
    assert pair.in_balance()


def test_the_same_fact_under_a_new_event_id_has_no_effect(pair: Pair) -> None:
    customer = pair.register("8801")
    purchase = Purchase(total="88.00")

    together = pair.tell(purchase.event(), purchase.but(event_id="resent").event())
    later = pair.tell(purchase.but(event_id="resent-again").event())

    assert together == (["accepted"] * 2, ["accepted"] * 2)
    assert later == (["accepted"], ["accepted"])
    assert pair.purse(customer)["pending"] == 88
    assert len(sales(pair, customer)) == 1
    assert pair.in_balance()


@pytest.mark.parametrize("together", [True, False], ids=["in one batch", "later"])
def test_other_content_under_a_known_purchase_id_is_a_conflict(pair: Pair, together: bool) -> None:
    customer = pair.register("8801")
    purchase = Purchase(total="88.00")
    other = purchase.but(event_id="other", total="99.00").event()

    if together:
        said = [words[1] for words in pair.tell(purchase.event(), other)]
    else:
        pair.tell(purchase.event())
        said = [words[0] for words in pair.tell(other)]

    for word in said:
        assert word.startswith("rejected:")
        assert "known with a different content" in word, word
        assert purchase.purchase_id in word
    assert pair.purse(customer)["pending"] == 88
    assert sales(pair, customer)[0]["total"] == "88.00"


def test_a_refund_waits_for_its_purchase(pair: Pair) -> None:
    customer = pair.register("8801")
    purchase = Purchase(total="88.00")

    assert pair.tell(purchase.refund("8.00").event()) == (["accepted"], ["accepted"])
    assert pair.tell(purchase.event()) == (["accepted"], ["accepted"])

    assert pair.purse(customer)["pending"] == 80
    assert sales(pair, customer)[0]["refunded"] == "8.00"
    assert pair.in_balance()


def test_a_refund_and_its_purchase_meet_in_one_batch_in_any_order(pair: Pair) -> None:
    customer = pair.register("8801")
    first, second = Purchase(total="50.00"), Purchase(total="70.00")

    pair.tell(first.refund("50.00").event(), first.event(), second.event(), second.refund("20.00").event())

    assert pair.purse(customer)["pending"] == 50
    assert {sale["refunded"] for sale in sales(pair, customer)} == {"50.00", "20.00"}
    assert pair.in_balance()


def test_a_purchase_waits_for_its_customer(pair: Pair) -> None:
    purchase = Purchase(total="88.00", identity="card:later")

    assert pair.tell(purchase.event(), purchase.refund("8.00").event()) == (["accepted"] * 2, ["accepted"] * 2)
    customer = pair.register("later")
    pair.pass_on()

    assert pair.purse(customer)["pending"] == 80
    assert [sale["refunded"] for sale in sales(pair, customer)] == ["8.00"]
    assert pair.in_balance()


def test_refunds_beyond_the_purchase_are_dead_letters(pair: Pair) -> None:
    customer = pair.register("8801")
    purchase = Purchase(total="88.00")
    pair.tell(purchase.event(), purchase.refund("80.00").event())

    for word in (words[0] for words in pair.tell(purchase.refund("8.01").event())):
        assert word.startswith("rejected:"), word
        assert "refund" in word

    assert pair.tell(purchase.refund("8.00").event()) == (["accepted"], ["accepted"])
    assert pair.purse(customer)["pending"] == 0
    assert sales(pair, customer)[0]["refunded"] == "88.00"
    assert pair.in_balance()
