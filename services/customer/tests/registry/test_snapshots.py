"""A service deployed later learns every customer from the snapshot (decision 9)."""

from __future__ import annotations

import orjson

from chassis.messaging.admission import contents


def test_the_snapshot_is_every_customers_present_state_with_its_version(admin, registered, runtime):
    first = registered("李梅", card="1", phones=[{"number": "13800138000"}])
    registered("王芳")
    admin.patch(f"/api/v1/customers/{first['id']}", json={"stage": "service"}, headers={"If-Match": "*"})
    [snapshot] = runtime.service.snapshots

    with runtime.sessions() as session:
        events = [event for page in snapshot.pages(session) for event in page]

    assert {event.data["name"]: int(event.sequence or 0) for event in events} == {"李梅": 2, "王芳": 1}
    assert {event.data["name"]: event.data["stage"] for event in events} == {"李梅": "service", "王芳": "development"}


def test_every_event_of_this_service_follows_its_schema(
    admin, second, registered, told, sale, settle, runtime, recorded
):
    customer = registered(
        "李梅", card="1", phones=[{"number": "13800138000", "label": None}], emails=[{"address": "a@example.com"}],
        addresses=[{"text": "漕溪北路 1 号", "division": "310104"}], birthday="1988-11-05", tags=["vip"],
        special_dates=[{"kind": "anniversary", "calendar": "lunar", "month": 8, "day": 15}], value_class="important",
        owner="li.wei",
    )  # fmt: skip
    url = f"/api/v1/customers/{customer['id']}"
    admin.patch(url, json={"stage": "service", "profile": {"zone": "east"}}, headers={"If-Match": "*"})
    admin.post(f"{url}/identities", json={"scheme": "wechat", "value": "lm"})
    registered("王芳", card="2")
    told(sale("1", "9000.00"), sale("1", "90.00", days_ago=9), sale("2", "10.00", days_ago=20))
    for path, body in (("gradings", {}), ("classifications", {"scheme": "frequency"})):
        admin.post(f"/api/v1/{path}", json=body)
    settle()
    for propose in (
        lambda: admin.post(f"{url}/blacklist", json={"scope": "unit", "unit": "SH", "reason": "unpaid"}),
        lambda: admin.delete(f"{url}/blacklist", json={"reason": "paid"}),
    ):
        approved = second.post(f"/api/v1/services/customer/approvals/{propose().json['id']}/approve", json={})
        assert approved.status_code == 200

    events = recorded(runtime)

    said = {event.type for event in events}
    facts = ("registered", "updated", "identified", "graded", "classified", "blacklisted", "reinstated")
    assert said == {f"customer.{fact}.v1" for fact in facts}
    assert {event.type: contents(event.type, orjson.loads(event.to_json())) for event in events} == dict.fromkeys(said)
