"""Classes and grades of the whole population equal an independent recomputation by the numbers of the default pack."""

from __future__ import annotations

import random
from collections import defaultdict
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from zoneinfo import ZoneInfo

import pytest

SHANGHAI = ZoneInfo("Asia/Shanghai")
TODAY = date(2026, 11, 20)


@pytest.fixture
def population(registered, told, sale, refund):
    """60 customers with 0 to 20 purchases over two years, some refunded; → {id: [(day, amount)]} net, refunds gone."""
    random.seed(7)
    ids = {f"c{n}": registered(f"客户{n}", card=f"c{n}")["id"] for n in range(60)}
    events, kept = [], defaultdict(list)
    for card, customer in ids.items():
        kept[customer] = []
        for _ in range(random.choice([0, 0, 1, 2, 5, 13, 20])):
            total = Decimal(random.choice(["10.00", "250.00", "999.99", "4000.00"]))
            event = sale(card, str(total), days_ago=random.randint(0, 700))
            events.append(event)
            back = random.choice([0, 0, 0, 1, 2])
            if back:
                given = total if back == 2 else total / 2
                events.append(refund(event["data"]["purchase_id"], f"{given:.2f}"))
                total -= Decimal(f"{given:.2f}")
            if back != 2:
                day = datetime.fromisoformat(event["data"]["occurred_at"]).astimezone(SHANGHAI).date()
                kept[customer].append((day, total))
    assert set(told(*events)) == {"accepted"}
    return kept


def _window(purchases, as_of=TODAY):
    first, last = as_of - timedelta(days=365), as_of - timedelta(days=1)
    return [(day, amount) for day, amount in purchases if first <= day <= last]


def _expected_grades(population):
    """By defaults.md: 50·pr(amount) + 30·pr(frequency) + 20·pr(recency) over the buyers of the window, exactly."""
    buyers = {c: _window(p) for c, p in population.items() if _window(p)}
    measures = {
        c: (sum(a for _, a in p), len({d for d, _ in p}), max(d for d, _ in p).toordinal()) for c, p in buyers.items()
    }
    grades = dict.fromkeys(population, "ordinary")
    for customer, mine in measures.items():
        ranks = [Fraction(sum(other[i] < mine[i] for other in measures.values()), len(measures) - 1) for i in range(3)]
        score = 50 * ranks[0] + 30 * ranks[1] + 20 * ranks[2]
        grades[customer] = next(
            (g for g, at in (("diamond", 90), ("platinum", 75), ("gold", 50)) if score >= at), "ordinary"
        )
    return grades


def _run(admin, settle, path, **body):
    answer = admin.post(f"/api/v1/{path}", json=body)
    assert answer.status_code == 202, answer.json
    settle()
    run = admin.get(answer.json["result_url"]).json
    assert run["status"] in ("done", "awaiting_approval"), run
    return run


def _all(admin, path="customers"):
    page = admin.get(f"/api/v1/{path}?limit=200").json
    return page["items"]


@pytest.mark.rule("CG-09")
def test_grades_equal_the_recomputation(admin, settle, population):
    run = _run(admin, settle, "gradings")

    expected = _expected_grades(population)
    assert {c["id"]: c["grade"] for c in _all(admin)} == expected
    assert run["population"] == 60
    assert run["buyers"] == sum(bool(_window(p)) for p in population.values())
    assert len(set(expected.values())) == 4


@pytest.mark.rule("CG-06")
@pytest.mark.rule("CG-07")
@pytest.mark.rule("CG-08")
def test_classes_equal_the_recomputation(admin, settle, population):
    for scheme in ("frequency", "amount", "nature"):
        _run(admin, settle, "classifications", scheme=scheme)

    for customer in _all(admin):
        bought = _window(population[customer["id"]])
        days, amount = len({day for day, _ in bought}), sum(a for _, a in bought)
        classes = {scheme: each["value"] for scheme, each in customer["classes"].items()}
        assert classes == {
            "frequency": "high" if days >= 12 else "mid" if days >= 4 else "low",
            "amount": "large" if amount >= 10000 else "medium" if amount >= 2000 else "small",
            "nature": "individual",
        }
        assert customer["classes"]["frequency"]["clause"] == "CG-06"


def test_a_dry_run_gives_the_same_difference_and_changes_nothing(admin, settle, population, runtime, recorded):
    dry = _run(admin, settle, "gradings", dry_run=True)
    assert {c["grade"] for c in _all(admin)} == {"ordinary"}
    assert recorded(runtime, "customer.graded.v1") == []

    real = _run(admin, settle, "gradings")

    assert dry["changes"] == real["changes"] != []
    assert len(recorded(runtime, "customer.graded.v1")) == real["changed"]
    again = _run(admin, settle, "gradings")
    assert (again["changed"], len(recorded(runtime, "customer.graded.v1"))) == (0, real["changed"])


@pytest.mark.rule("CG-09")
def test_why_this_grade_can_be_read_at_the_customer(admin, settle, population):
    run = _run(admin, settle, "gradings")
    [change] = admin.get(f"{run['changes_url']}?limit=1&to=diamond").json["items"]

    detail = admin.get(f"/api/v1/customers/{change['customer_id']}").json["grade_detail"]

    assert detail["value"] == "diamond"
    assert (detail["clause"], detail["policyversion"], detail["run"]) == ("CG-09", run["policyversion"], run["id"])
    assert set(detail["parts"]) == {"amount", "frequency", "recency"}
    assert abs(sum(detail["parts"].values()) - detail["score"]) < 1e-5
    assert detail["inputs"]["frequency"] > 0
    assert detail["window"] == {"from": "2025-11-20", "to": "2026-11-19"}


@pytest.mark.rule("CG-04")
def test_rises_count_at_once_and_falls_after_a_second_person(
    admin, second, settle, registered, told, sale, clock, runtime, recorded
):
    falling, rising = registered("甲", card="a"), registered("乙", card="b")
    others = [registered(f"丙{n}", card=f"o{n}") for n in range(5)]
    told(
        sale("a", "9000.00"),
        sale("a", "9000.00", days_ago=2),
        *(sale(f"o{n}", "10.00", days_ago=3 + n) for n in range(5)),
    )
    _run(admin, settle, "gradings")
    assert admin.get(f"/api/v1/customers/{falling['id']}").json["grade"] == "diamond"

    clock.advance(days=300)
    told(
        *(sale("b", "20000.00", days_ago=n + 1) for n in range(3)),
        *(sale(f"o{n}", "50.00", days_ago=9) for n in range(5)),
    )
    run = _run(admin, settle, "gradings")

    assert run["status"] == "awaiting_approval"
    assert admin.get(f"/api/v1/customers/{rising['id']}").json["grade"] == "diamond"
    assert admin.get(f"/api/v1/customers/{falling['id']}").json["grade"] == "diamond"
    approved = second.post(f"/api/v1/services/customer/approvals/{run['approval_id']}/approve", json={})
    assert approved.status_code == 200, approved.json
    settle()
    assert admin.get(f"/api/v1/customers/{falling['id']}").json["grade"] != "diamond"
    assert admin.get(f"/api/v1/gradings/{run['id']}").json["status"] == "done"
    falls = [e for e in recorded(runtime, "customer.graded.v1") if e.data["customer_id"] == falling["id"]]
    assert [e.data["previous"] for e in falls] == ["ordinary", "diamond"]
    assert others


def test_the_calendar_begins_all_runs_on_the_first_of_the_month(admin, runtime, clock, settle):
    from chassis.timing.schedules import ScheduleRunner

    runner = ScheduleRunner(runtime)
    runner.tick()
    clock.travel_to(datetime(2026, 11, 30, 18, 30, tzinfo=UTC))
    runner.tick()
    settle()

    runs = admin.get("/api/v1/gradings").json["items"] + admin.get("/api/v1/classifications").json["items"]
    assert {run["scheme"]: run["status"] for run in runs} == {
        "value": "done", "frequency": "done", "amount": "done", "nature": "done",
    }  # fmt: skip
    assert {run["as_of"] for run in runs} == {"2026-12-01"}


def test_an_unknown_scheme_is_refused_by_name(admin):
    answer = admin.post("/api/v1/classifications", json={"scheme": "colour"})

    assert answer.status_code == 422
    assert "frequency" in answer.json["errors"]["scheme"][0]
