"""What the builders build is what the contract asks for."""

from __future__ import annotations

import orjson
import pytest

from chassis.messaging.admission import contents
from chassis.testkit.builders import Purchase

PURCHASE = Purchase()


@pytest.mark.parametrize(
    "built",
    [
        PURCHASE,
        PURCHASE.but(identity=None),
        PURCHASE.but(identity=None, customer_id="0192d3c4-0000-7000-8000-000000000000"),
        PURCHASE.refund("5.00"),
        PURCHASE.refund("5.00").but(reason="spoiled"),
    ],
)
def test_examples_obey_the_contract(built):
    event = built.event()
    assert contents(event.type, orjson.loads(event.to_json())) is None


def test_every_purchase_is_one_of_its_own_and_a_changed_copy_leaves_the_original():
    assert Purchase().purchase_id != Purchase().purchase_id
    assert PURCHASE.but(total="1.00").purchase_id == PURCHASE.purchase_id
    assert PURCHASE.total == "256.00"
