"""A customer enters the registry once, with a code, a history and a searchable name."""

from __future__ import annotations

import pytest

from chassis.ids import uuid7
from chassis.messaging.event import Event
from chassis.messaging.testing import deliver


@pytest.mark.rule("AD-08")
def test_a_new_customer_has_a_gapless_code_of_the_unit_at_once(registered):
    first = registered("单小明", unit="SH001")
    second = registered("曾国藩", unit="SH001")
    elsewhere = registered("仇英", unit="BJ001")

    assert [c["code"] for c in (first, second, elsewhere)] == ["C-SH001-000001", "C-SH001-000002", "C-BJ001-000001"]


def test_a_refused_registration_leaves_no_gap(admin, registered):
    registered("单小明", card="1")
    refused = admin.post(
        "/api/v1/customers", json={"kind": "individual", "name": "X", "identities": [{"scheme": "card", "value": "1"}]}
    )
    assert refused.status_code == 409

    assert registered("曾国藩")["code"] == "C-000002"


def test_the_answer_is_the_whole_customer_and_the_event_carries_the_same_state(registered, runtime, recorded):
    customer = registered(
        "单小明", card="8801", phones=[{"number": "138 0013 8000", "label": "mobile"}], birthday="1988-11-05"
    )

    assert customer["phones"] == [{"number": "+8613800138000", "label": "mobile"}]
    assert (customer["status"], customer["stage"], customer["grade"]) == ("active", "development", "ordinary")
    assert customer["grade_detail"]["clause"] == "CG-09"
    assert customer["standing"] == {"may_trade": True, "reasons": []}
    [event] = recorded(runtime, "customer.registered.v1")
    assert event.data["customer_id"] == customer["id"]
    assert event.data["identities"] == [{"scheme": "card", "value": "8801"}]
    assert event.sequence is not None
    assert int(event.sequence) == customer["version"] == 1


@pytest.mark.rule("CG-01")
def test_facts_keep_who_collected_them_of_which_department_and_when(admin, registered):
    customer = registered(
        "李梅",
        provenance={
            "collected_by": "wang.fang",
            "department": "sales",
            "collected_at": "2026-11-01T02:00:00Z",
            "reason": "fair",
        },
    )

    [change] = admin.get(f"/api/v1/customers/{customer['id']}/history").json["items"]
    assert (change["field"], change["by"], change["collected_by"], change["department"]) == (
        "registered",
        "admin",
        "wang.fang",
        "sales",
    )
    assert change["collected_at"].startswith("2026-11-01T02:00:00")
    assert change["new"]["name"] == "李梅"


@pytest.mark.rule("CG-03")
def test_a_change_keeps_old_and_new_value_and_needs_the_version_that_was_read(
    admin, registered, runtime, recorded, clock
):
    customer = registered("李梅", stage="development")
    url = f"/api/v1/customers/{customer['id']}"
    assert admin.patch(url, json={"stage": "service"}).status_code == 428
    assert admin.patch(url, json={"stage": "service"}, headers={"If-Match": '"7"'}).status_code == 412

    clock.advance(days=1)
    changed = admin.patch(
        url, json={"stage": "service", "provenance": {"reason": "signed"}}, headers={"If-Match": '"1"'}
    )

    assert changed.status_code == 200
    assert changed.headers["ETag"] == '"2"'
    newest = admin.get(f"{url}/history").json["items"][0]
    assert (newest["field"], newest["old"], newest["new"], newest["why"]) == (
        "stage",
        "development",
        "service",
        "signed",
    )
    [event] = recorded(runtime, "customer.updated.v1")
    assert event.data["changed"] == ["stage"]


@pytest.mark.rule("CG-03")
def test_records_that_nobody_confirmed_for_a_year_are_listed_as_stale(admin, registered, clock):
    old = registered("李梅")
    clock.advance(days=200)
    registered("王芳")
    clock.advance(days=170)

    stale = admin.get("/api/v1/customers?stale=true").json["items"]

    assert [customer["id"] for customer in stale] == [old["id"]]


def test_an_equal_contact_is_refused_with_the_candidate_unless_forced(admin, registered):
    known = registered("李梅", phones=[{"number": "13800138000"}])
    body = {"kind": "individual", "name": "李妹", "phones": [{"number": "+86 138 0013 8000"}]}

    refused = admin.post("/api/v1/customers", json=body)

    assert refused.status_code == 409
    assert refused.json["candidates"][0]["id"] == known["id"]
    assert "phone" in refused.json["candidates"][0]["matched"]
    assert admin.post("/api/v1/customers", json={**body, "force": True}).status_code == 201


def test_a_linked_identity_is_nobody_elses_even_when_forced(admin, registered):
    known = registered("李梅", card="1")
    other = registered("王芳")
    taken = {"scheme": "card", "value": "1"}

    forced = admin.post(
        "/api/v1/customers", json={"kind": "individual", "name": "X", "identities": [taken], "force": True}
    )
    linked = admin.post(f"/api/v1/customers/{other['id']}/identities", json=taken)

    assert [forced.status_code, linked.status_code] == [409, 409]
    assert linked.json["candidates"][0]["id"] == known["id"]
    again = admin.post(f"/api/v1/customers/{known['id']}/identities", json=taken)
    assert (again.status_code, again.json["version"]) == (201, 1)


@pytest.mark.parametrize("query", ["小明", "单", "shanxiao", "sxm", "138001", "8801", "C-0000", "li.ming@", "sh"])
def test_a_customer_is_found_by_name_reading_initials_contact_and_identity(admin, registered, query):
    customer = registered(
        "单小明", card="8801", phones=[{"number": "13800138000"}], emails=[{"address": "li.ming@example.com"}]
    )
    registered("王芳", card="9999", unit="BJ")

    found = admin.get("/api/v1/customers", query_string={"q": query}).json["items"]

    assert customer["id"] in [each["id"] for each in found]
    assert query == "C-0000" or len(found) == 1


def test_filters_name_fields_and_unknown_ones_are_refused(admin, registered):
    customer = registered("李梅", card="5", owner="li.wei", tags=["vip-lane"])
    registered("王芳")

    for query in ("identity=card:5", "owner=li.wei", "tag=vip-lane"):
        assert [each["id"] for each in admin.get(f"/api/v1/customers?{query}").json["items"]] == [customer["id"]]
    for query in ("standing=open", "grade=ordinary", "kind=individual"):
        assert len(admin.get(f"/api/v1/customers?{query}").json["items"]) == 2
    assert admin.get("/api/v1/customers?class=frequency:high").json["items"] == []
    assert admin.get("/api/v1/customers?colour=red").status_code == 422


def test_contacts_are_masked_for_those_who_may_not_see_them(registered, client, runtime):
    customer = registered("李梅", phones=[{"number": "13800138000"}], emails=[{"address": "li.mei@example.com"}])

    seen = client(runtime, roles=["auditor"], username="auditor").get(f"/api/v1/customers/{customer['id']}").json

    assert seen["phones"][0]["number"] == "+86138****8000"
    assert seen["emails"][0]["address"] == "l****@example.com"


@pytest.mark.rule("CG-05")
def test_staff_see_the_customers_of_their_own_units_only(registered, client, runtime, clock):
    _units(runtime, clock, ("SH", "/HQ/SH/"), ("SH001", "/HQ/SH/SH001/"), ("BJ", "/HQ/BJ/"))
    ours, theirs = registered("李梅", unit="SH001"), registered("王芳", unit="BJ")

    branch = client(runtime, roles=["store_manager"], unit_path="/HQ/SH/", username="chen.jie")

    assert [each["id"] for each in branch.get("/api/v1/customers").json["items"]] == [ours["id"]]
    assert branch.get(f"/api/v1/customers/{theirs['id']}").status_code == 404
    new = branch.post("/api/v1/customers", json={"kind": "individual", "name": "赵六"})
    assert (new.status_code, new.json["unit"]) == (201, "SH")
    elsewhere = branch.post("/api/v1/customers", json={"kind": "individual", "name": "钱七", "unit": "BJ"})
    assert elsewhere.status_code == 403


def _units(runtime, clock, *units):
    """What the gateway says of the organisation tree."""
    for number, (code, path) in enumerate(units, 1):
        data = {"unit_id": str(uuid7(clock.now())), "code": code, "name": code, "path": path, "parent": None}
        event = Event(f"unit-{number}", "/kezhi/gateway", "unit.changed.v1", code, clock.now(), data, sequence="1")
        assert deliver(runtime, "staff", [event]) == ["accepted"]
