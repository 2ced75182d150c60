"""Members follow the registry: enrolled at registration, known by every name, blocked while blacklisted."""

from __future__ import annotations

from typing import Any

import pytest

BLACKLISTED = {"may_trade": False, "reasons": [{"code": "blacklisted", "scope": "company"}]}


@pytest.mark.rule("CG-23")
def test_a_registration_enrols(programme: Any, api: Any, recorded: Any) -> None:
    customer = programme.enrol("card:1", "phone:+8613800000000")

    member = api.get(f"members/{customer}").get_json()

    assert (member["tier"], member["points"]["available"], member["growth"]) == ("ordinary", 0, 0)
    (event,) = recorded(programme.runtime, "member.enrolled.v1")
    assert event.data["customer_id"] == customer


def test_an_older_description_changes_nothing(programme: Any) -> None:
    customer = "0192d3c4-0000-7000-8000-000000000001"
    first = programme.customer_event("registered", customer, identities=[{"scheme": "card", "value": "1"}])
    second = programme.customer_event("updated", customer, identities=[{"scheme": "card", "value": "2"}])

    programme.tell("customers", second)
    programme.tell("customers", first)
    programme.buys("10.00", by="card:2")
    programme.buys("10.00", by="card:1")

    assert programme.purse(customer)["pending"] == 10


def test_a_purchase_by_customer_id_finds_its_member(programme: Any) -> None:
    customer = programme.enrol("card:1")

    programme.buys("10.00", by=customer)

    assert programme.purse(customer)["pending"] == 10


def test_what_a_blacklisted_customer_earns_is_blocked_until_cleared(programme: Any, in_balance: Any) -> None:
    customer = programme.enrol("card:1")
    identities = [{"scheme": "card", "value": "1"}]
    entry = {"scope": "company", "reason": "fraud", "from": "2026-11-20T02:00:00Z", "until": None}
    programme.tell(
        "customers",
        programme.customer_event(
            "blacklisted", customer, identities=identities, standing=BLACKLISTED,
            blacklist_id="0192d3c4-0000-7000-8000-000000000009", blacklisting=entry,
        ),
    )  # fmt: skip
    programme.buys("10.00")
    assert programme.purse(customer)["blocked"] == 10
    in_balance()

    programme.tell(
        "customers",
        programme.customer_event(
            "reinstated", customer, identities=identities, scope="company", reinstated_at="2026-11-20T02:00:00Z"
        ),
    )

    assert (programme.purse(customer)["blocked"], programme.purse(customer)["pending"]) == (0, 10)
    in_balance()


def test_a_statement_line_says_why(programme: Any, api: Any) -> None:
    customer = programme.enrol("card:1", birthday="1990-11-05")
    programme.buys("37.50", "P1")

    (line,) = api.get(f"members/{customer}/entries").get_json()["items"]

    assert line["points"] == 74
    assert [(step["rule"], step["points"], step["clause"]) for step in line["why"]["breakdown"]] == [
        ("base", 37, "CG-22"),
        ("birthday", 37, "CG-24"),
    ]
    assert line["why"]["policyversion"].startswith("consumer-goods@")
