"""One time line per customer, fed by this service's facts and by what loyalty says (CG-02)."""

from __future__ import annotations

import pytest

from chassis.messaging.testing import deliver
from kezhi_contracts import schemas


@pytest.mark.rule("CG-02")
def test_points_and_tiers_of_the_loyalty_service_are_filed_with_the_customer(admin, registered, runtime):
    customer = registered()
    events = []
    for kind in ("points.earned.v1", "tier.changed.v1", "member.enrolled.v1"):
        event = schemas.example(kind)
        event["id"] = kind
        event["data"]["customer_id"] = customer["id"]
        events.append(event)

    assert deliver(runtime, "archive", [*events, events[0]]) == ["accepted", "accepted", "accepted", "duplicate"]

    entries = admin.get(f"/api/v1/customers/{customer['id']}/archive").json["items"]
    assert sorted(entry["kind"] for entry in entries) == ["membership", "points", "profile", "tier"]
    [points] = admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=points").json["items"]
    assert (points["fact"], points["source"], points["data"]["points"]) == ("points.earned", "/kezhi/loyalty", 281)


def test_pages_continue_where_the_last_one_ended(admin, registered, told, sale):
    customer = registered(card="8801")
    told(*(sale("8801", f"{n}.00", days_ago=n) for n in range(1, 8)))
    url, seen, cursor = f"/api/v1/customers/{customer['id']}/archive?kind=purchase&limit=3", [], ""
    while cursor is not None:
        page = admin.get(url + (f"&cursor={cursor}" if cursor else "")).json
        seen += [entry["data"]["total"] for entry in page["items"]]
        cursor = page["next"]

    assert [float(total) for total in seen] == [1, 2, 3, 4, 5, 6, 7]
