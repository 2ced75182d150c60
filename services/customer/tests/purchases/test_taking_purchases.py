"""A sale counts once, whichever way, however often and in whatever order it is told (decisions 2, 10, 23)."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import orjson
import pytest

from chassis.messaging.dead_letters import keep
from chassis.messaging.incoming import Incoming
from chassis.messaging.testing import deliver


def _purchase(admin, purchase_id):
    return admin.get(f"/api/v1/purchases/{purchase_id}").json


@pytest.mark.rule("CG-02")
def test_a_purchase_of_a_known_identity_is_in_the_customers_archive(admin, registered, told, sale):
    customer = registered(card="8801")

    assert told(sale("8801", "256.00", purchase_id="P-1")) == ["accepted"]

    found = _purchase(admin, "P-1")
    assert (found["status"], found["customer_id"], found["total"]) == ("accepted", customer["id"], "256.00")
    entries = admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=purchase").json["items"]
    assert [entry["data"]["purchase_id"] for entry in entries] == ["P-1"]


def test_the_same_fact_under_another_event_id_has_no_effect(admin, registered, told, sale):
    customer = registered(card="8801")
    first = sale("8801", "256.00", purchase_id="P-1")
    again = {**first, "id": "another"}

    assert told(first, again) == ["accepted", "accepted"]
    assert told({**first, "id": "a third"}, first) == ["accepted", "duplicate"]

    assert len(admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=purchase").json["items"]) == 1


def test_another_content_under_a_known_purchase_id_is_a_conflict(admin, registered, told, sale):
    registered(card="8801")
    first = sale("8801", "256.00", purchase_id="P-1")
    other = sale("8801", "257.00", purchase_id="P-1")

    in_one_batch = told(first, other)
    later = told({**other, "id": "again"})

    assert in_one_batch[0] == "accepted"
    assert all(word.startswith("rejected:P-1 is known with a different content") for word in (in_one_batch[1], *later))
    found = _purchase(admin, "P-1")
    assert (found["status"], found["total"]) == ("accepted", "256.00")
    assert [refusal["event_id"] for refusal in found["refusals"]] == [other["id"], "again"]


def test_the_same_instant_and_amount_written_otherwise_is_the_same_fact(registered, told, sale):
    registered(card="8801")
    first = sale("8801", "256.00", purchase_id="P-1", occurred_at="2026-11-19T09:29:58+08:00")
    again = sale("8801", "256.0", purchase_id="P-1", occurred_at="2026-11-19T01:29:58Z")

    assert told(first, again) == ["accepted", "accepted"]


def test_a_purchase_of_an_unknown_identity_waits_until_the_identity_is_linked(admin, registered, told, sale, refund):
    assert told(sale("7", "50.00", purchase_id="P-1"), refund("P-1", "20.00")) == ["accepted", "accepted"]
    assert _purchase(admin, "P-1")["status"] == "waiting"
    assert [each["purchase_id"] for each in admin.get("/api/v1/unmatched-purchases").json["items"]] == ["P-1"]

    customer = registered()
    admin.post(f"/api/v1/customers/{customer['id']}/identities", json={"scheme": "card", "value": "7"})

    found = _purchase(admin, "P-1")
    assert (found["status"], found["customer_id"], found["refunded"]) == ("accepted", customer["id"], "20.00")
    entries = admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=purchase").json["items"]
    assert [entry["fact"] for entry in entries] == ["purchase.refunded", "purchase.completed"]
    assert admin.get("/api/v1/unmatched-purchases").json["items"] == []


def test_registration_with_the_identity_applies_what_waited(admin, registered, told, sale):
    told(sale("7", purchase_id="P-1"))

    customer = registered(card="7")

    assert _purchase(admin, "P-1")["customer_id"] == customer["id"]


def test_a_purchase_may_name_the_customer_by_id(admin, registered, told, sale):
    customer = registered()
    unknown = "0192d3c4-0000-7000-8000-000000000000"

    told(
        sale(None, purchase_id="P-1", customer={"id": customer["id"]}),
        sale(None, purchase_id="P-2", customer={"id": unknown}),
    )

    assert _purchase(admin, "P-1")["customer_id"] == customer["id"]
    assert (_purchase(admin, "P-2")["status"], _purchase(admin, "P-2")["identity"]) == ("waiting", f"id:{unknown}")


def test_an_anonymous_sale_is_accepted_and_belongs_to_nobody(admin, told, sale):
    told(sale(None, purchase_id="P-1"))

    assert (_purchase(admin, "P-1")["status"], _purchase(admin, "P-1")["customer_id"]) == ("accepted", None)


def test_a_refund_before_its_purchase_waits_for_it(admin, registered, told, sale, refund):
    registered(card="8801")

    assert told(refund("P-1", "30.00")) == ["accepted"]
    assert told(sale("8801", "100.00", purchase_id="P-1")) == ["accepted"]

    found = _purchase(admin, "P-1")
    assert found["refunded"] == "30.00"
    assert [each["status"] for each in found["refunds"]] == ["accepted"]


def test_refunds_beyond_the_purchase_are_refused_with_the_reason(admin, registered, told, sale, refund):
    registered(card="8801")
    told(sale("8801", "100.00", purchase_id="P-1"))

    words = told(
        refund("P-1", "70.00", refund_id="R-a"),
        refund("P-1", "30.01", refund_id="R-b"),
        refund("P-1", "30.00", refund_id="R-c"),
    )

    assert [word.partition(":")[0] for word in words] == ["accepted", "rejected", "accepted"]
    assert "exceeds what is left" in words[1]
    assert _purchase(admin, "P-1")["refunded"] == "100.00"


def test_an_early_refund_that_exceeds_its_purchase_is_refused_when_the_purchase_comes(admin, told, sale, refund):
    told(refund("P-1", "60.00", refund_id="R-a"), refund("P-1", "60.00", refund_id="R-b"))
    told(sale(None, "100.00", purchase_id="P-1"))

    found = _purchase(admin, "P-1")
    assert found["refunded"] == "60.00"
    assert [(each["refund_id"], each["status"]) for each in found["refunds"]] == [
        ("R-a", "accepted"),
        ("R-b", "rejected"),
    ]
    assert "exceeds" in found["refunds"][1]["reason"]


def test_lines_that_do_not_add_up_are_refused_within_a_cent(told, sale):
    line = {"sku": "W", "quantity": "1", "amount": "99.99"}

    assert told(sale(total="100.00", lines=[line])) == ["accepted"]
    assert told(sale(total="100.01", lines=[line]))[0].startswith(
        "rejected:total 100.01 is not the sum of the lines, 99.99"
    )


def test_stores_are_listed_and_get_their_unit_by_a_call(admin, told, sale):
    told(sale(None, store="X9", purchase_id="P-1"))
    assert [each["code"] for each in admin.get("/api/v1/unmatched-purchases/stores?known=false").json["items"]] == [
        "X9"
    ]

    assert admin.put("/api/v1/unmatched-purchases/stores/X9", json={"unit": "SH001"}).status_code == 200

    assert admin.get("/api/v1/unmatched-purchases/stores?known=false").json["items"] == []
    assert _purchase(admin, "P-1")["unit"] == "SH001"


def test_a_batch_of_five_hundred_is_one_pass(admin, registered, told, sale):
    registered(card="8801")

    words = told(*(sale("8801" if n % 3 else f"u{n}", "1.00") for n in range(500)))

    assert set(words) == {"accepted"}


def test_a_publisher_reads_why_the_gate_refused_a_purchase(admin, told, sale, runtime):
    wrong = sale(purchase_id="水-1", currency="yuan")
    [word] = told(wrong)
    with runtime.context() as context:
        headers = {"x-kezhi-reason": word.removeprefix("rejected:"), "x-kezhi-queue": "customer.purchases"}
        keep(
            context.session,
            [("customer.purchases.dead", Incoming(_body(wrong), headers=headers))],
        )

    found = _purchase(admin, "水-1")

    assert found["status"] == "rejected"
    assert "currency" in found["reason"]
    assert admin.get("/api/v1/purchases/P-unheard").status_code == 404


def test_linking_and_telling_at_the_same_moment_leaves_nothing_waiting(runtime, admin, client, sale):
    cards = [f"r{n}" for n in range(30)]

    def register(card):
        body = {"kind": "individual", "name": card, "identities": [{"scheme": "card", "value": card}]}
        return client(runtime).post("/api/v1/customers", json=body).status_code

    with ThreadPoolExecutor(4) as pool:
        telling = [pool.submit(deliver, runtime, "purchases", [sale(card), sale(card)]) for card in cards]
        linking = [pool.submit(register, card) for card in cards]
        assert {word for each in telling for word in each.result()} == {"accepted"}
        assert {each.result() for each in linking} == {201}

    assert admin.get("/api/v1/unmatched-purchases").json["items"] == []


def test_refund_and_purchase_at_the_same_moment_find_each_other(runtime, admin, sale, refund):
    pairs = [(sale(None, "10.00", purchase_id=f"Q-{n}"), refund(f"Q-{n}", "4.00")) for n in range(30)]

    with ThreadPoolExecutor(4) as pool:
        told = [pool.submit(deliver, runtime, "purchases", [event]) for pair in pairs for event in pair]
        assert {word for each in told for word in each.result()} == {"accepted"}

    assert {each["refunded"] for each in admin.get("/api/v1/purchases").json["items"]} == {"4.00"}


def _body(document):
    return orjson.dumps(document)
