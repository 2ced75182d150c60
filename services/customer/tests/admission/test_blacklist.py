"""Two people put a customer on the blacklist and two take them off; time alone makes an evaluation due (AD-06)."""

from __future__ import annotations

import pytest


@pytest.fixture
def customer(registered):
    return registered("某某贸易有限公司", kind="enterprise")


@pytest.fixture
def blacklist(admin, second, customer):
    """``blacklist(scope, unit=…)`` proposes and approves; answers the approval."""

    def run(**command):
        proposal = admin.post(f"/api/v1/customers/{customer['id']}/blacklist", json={"reason": "unpaid", **command})
        assert proposal.status_code == 202, proposal.json
        approved = second.post(f"/api/v1/services/customer/approvals/{proposal.json['id']}/approve", json={})
        assert approved.status_code == 200, approved.json
        return approved.json

    return run


def _standing(admin, customer, unit=None):
    query = f"?unit={unit}" if unit else ""
    return admin.get(f"/api/v1/customers/{customer['id']}/standing{query}").json


@pytest.mark.rule("AD-05")
def test_nobody_trades_with_whom_the_company_blacklisted(admin, customer, blacklist, runtime, recorded):
    blacklist(scope="company")

    standing = _standing(admin, customer)
    assert standing["may_trade"] is False
    assert standing["reasons"] == [
        {
            "code": "blacklisted",
            "scope": "company",
            "unit": None,
            "until": None,
            "clause": standing["reasons"][0]["clause"],
        }
    ]
    [event] = recorded(runtime, "customer.blacklisted.v1")
    assert event.data["standing"] == standing
    assert event.data["blacklisting"]["scope"] == "company"
    assert [c["id"] for c in admin.get("/api/v1/customers?standing=blocked").json["items"]] == [customer["id"]]
    assert (
        admin.get(f"/api/v1/customers/{customer['id']}/archive?kind=standing").json["items"][0]["fact"]
        == "customer.blacklisted"
    )


@pytest.mark.rule("AD-05")
def test_a_units_entry_blocks_that_unit_only(admin, customer, blacklist):
    blacklist(scope="unit", unit="SH")

    assert _standing(admin, customer, "SH")["may_trade"] is False
    assert _standing(admin, customer, "BJ") == {"may_trade": True, "reasons": []}
    company = _standing(admin, customer)
    assert (company["may_trade"], company["reasons"][0]["unit"]) == (True, "SH")


def test_the_proposer_cannot_approve_while_there_is_a_second_administrator(admin, customer, client, runtime):
    proposal = client(runtime, roles=["handler"], username="h").post(
        f"/api/v1/customers/{customer['id']}/blacklist", json={"scope": "company", "reason": "unpaid"}
    )
    assert proposal.status_code == 202
    own = client(runtime, roles=["handler"], username="h").post(
        f"/api/v1/services/customer/approvals/{proposal.json['id']}/approve", json={}
    )
    assert own.status_code == 403
    assert _standing(admin, customer)["may_trade"] is True


@pytest.mark.rule("AD-06")
def test_a_units_entry_lapses_after_six_months_into_evaluation_due(
    admin, customer, blacklist, clock, settle, runtime, recorded
):
    blacklist(scope="unit", unit="SH")
    until = _standing(admin, customer, "SH")["reasons"][0]["until"]
    assert until.startswith("2027-05-20T02:00")

    clock.advance(days=182)
    settle()

    standing = _standing(admin, customer, "SH")
    assert (standing["may_trade"], standing["reasons"][0]["code"]) == (False, "evaluation_due")
    assert recorded(runtime, "customer.updated.v1")[-1].data["standing"]["reasons"][0]["code"] == "evaluation_due"


@pytest.mark.rule("AD-06")
def test_reentry_needs_reason_and_second_person_and_comes_at_the_entry_grade(
    admin, second, customer, blacklist, runtime, recorded
):
    blacklist(scope="company")
    url = f"/api/v1/customers/{customer['id']}/blacklist"
    assert admin.delete(url, json={}).status_code == 422

    proposal = admin.delete(url, json={"reason": "paid in full", "evaluation": "sound"})
    second.post(f"/api/v1/services/customer/approvals/{proposal.json['id']}/approve", json={})

    assert _standing(admin, customer) == {"may_trade": True, "reasons": []}
    [event] = recorded(runtime, "customer.reinstated.v1")
    assert event.data["standing"]["may_trade"] is True
    assert admin.get(f"/api/v1/customers/{customer['id']}").json["grade"] == "ordinary"
    [entry] = admin.get(url).json["items"]
    assert (entry["status"], entry["proposed_by"], entry["approved_by"]) == ("lifted", "admin", "director")


@pytest.mark.rule("AD-06")
def test_a_units_entry_may_be_shorter_and_never_longer_and_a_companys_has_no_end(admin, customer):
    url = f"/api/v1/customers/{customer['id']}/blacklist"
    unit = {"scope": "unit", "unit": "SH", "reason": "unpaid"}

    assert admin.post(url, json={**unit, "until": "2027-01-01T00:00:00Z"}).status_code == 202
    assert admin.post(url, json={**unit, "until": "2028-01-01T00:00:00Z"}).status_code == 422
    company = {"scope": "company", "reason": "unpaid", "until": "2027-01-01T00:00:00Z"}
    assert admin.post(url, json=company).status_code == 422


def test_of_two_equal_proposals_one_is_carried_out(admin, second, customer):
    url = f"/api/v1/customers/{customer['id']}/blacklist"
    proposals = [admin.post(url, json={"scope": "company", "reason": "unpaid"}).json["id"] for _ in range(2)]

    statuses = [
        second.post(f"/api/v1/services/customer/approvals/{each}/approve", json={}).status_code for each in proposals
    ]

    assert statuses == [200, 409]
    assert admin.post(url, json={"scope": "company", "reason": "again"}).status_code == 409


def test_an_inactive_customer_may_not_trade(admin, customer):
    answer = admin.patch(f"/api/v1/customers/{customer['id']}", json={"status": "inactive"}, headers={"If-Match": "*"})

    assert answer.json["standing"]["may_trade"] is False
    assert _standing(admin, customer)["reasons"][0]["code"] == "inactive"
