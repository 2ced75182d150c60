"""Routes: the regulation's and those added beside them."""

from __future__ import annotations

import pytest

from notify.routes.domain import meets

NEW = {"name": "quality_hears", "event": "complaint.received", "to": [{"role": "supervisor"}],
       "template": "complaint_received_handler", "when": {"category": ["product.quality", "other"]}}  # fmt: skip


def test_the_regulations_routes_are_shown_with_their_clauses(api):
    found = {one["name"]: one for one in api().get("routes").get_json()["items"]}
    assert found["complaint_breached"]["to"] == ["handler", "superior"]
    assert found["complaint_breached"]["clause"] == "CG-14"
    assert {one["origin"] for one in found.values()} == {"pack"}
    assert api().get("routes/complaint_breached").get_json()["urgent"] is True


def test_an_added_route_tells_whoever_holds_a_role_nearest_to_the_unit(office, api):
    office.company.unit("SH")
    office.company.unit("SH1", parent="SH")
    office.company.employ("top", ["supervisor"])
    office.company.employ("near", ["supervisor"], unit="SH")
    assert api().post("routes", NEW).status_code == 201

    office.hears(office.complaint("received", category="product.quality", unit="SH1"))
    office.hears(office.complaint("received", category="policy", unit="SH1"))
    office.works()

    assert [len(office.inbox(name)) for name in ("near", "top")] == [1, 0]


def test_a_route_that_was_switched_off_is_silent(office, api):
    office.company.employ("top", ["supervisor"])
    etag = api().post("routes", NEW).headers["ETag"]
    assert api().patch("routes/quality_hears", {"enabled": False}, etag).status_code == 200
    office.hears(office.complaint("received", category="product.quality"))
    assert office.messages(route="quality_hears") == []


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"event": "complaint.vanished"}, "event"),
        ({"to": [{"role": "wizard"}]}, "to.0"),
        ({"to": [{"person": "receiver"}]}, "to.0"),
        ({"to": [{"address": "http://10.0.0.1/", "channel": "webhook"}]}, "to.0"),
        ({"when": {"colour": "red"}}, "when.colour"),
    ],
)
def test_a_route_that_would_reach_nobody_is_refused(api, change, field):
    answer = api().post("routes", {**NEW, **change})
    assert (answer.status_code, list(answer.get_json()["errors"])) == (422, [field])


def test_a_name_is_used_once(api):
    assert api().post("routes", {**NEW, "name": "complaint_breached"}).status_code == 409
    assert (api().post("routes", NEW).status_code, api().post("routes", NEW).status_code) == (201, 409)


@pytest.mark.rule("TR-11")
def test_a_bare_address_of_the_accused_is_no_way_round_the_guard(office, api):
    office.company.employ("zhou", ["service_manager"], email="Zhou@example.com")
    api().post("routes", {**NEW, "when": {}, "to": [{"address": "zhou@example.com", "channel": "email"}]})
    office.hears(
        office.complaint("received", hidden_from=[{"staff": "zhou", "with_subordinates": True}]),
        office.complaint("received"),
    )
    office.works()
    assert len(office.email.taken) == 1


def test_conditions_compare_exactly():
    assert meets({"level": 2}, {"level": 2}) is True
    assert meets({"insists": True}, {"insists": 1}) is False
    assert meets({"handler": "missing"}, {}) is True
