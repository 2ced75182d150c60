"""The queue, the search and the counts; and that none of them reads the whole table."""

from __future__ import annotations

import re
from typing import Any

import pytest
from sqlalchemy import Engine, event, text

FILL = """
    INSERT INTO complaint (id, number, type, channel, status, level, level_reason, subject, description, unit,
        unit_path,
        handler, handler_role, category, customer_id, complainant_key, received_at, created_at, created_by,
        closed_at, policyversion, next_due_at, breached, grams)
    SELECT gen_random_uuid(), 'X' || n, 'complaint', 'hotline', CASE WHEN n % 20 = 0 THEN 'received' ELSE 'closed' END,
        1 + n % 3, '{"level": 1, "because": "-", "clause": "-"}', 'subject ' || n, 'text', 'U' || n % 300,
        '/U' || n % 300 || '/', 'handler' || n % 400, 'handler', 'category' || n % 200, gen_random_uuid(), md5(n::text),
        timestamptz '2026-11-01' + n * interval '1 minute', timestamptz '2026-11-01' + n * interval '1 minute',
        'creator' || n % 500, CASE WHEN n % 20 = 0 THEN NULL ELSE timestamptz '2026-11-15' END, 'v',
        timestamptz '2026-11-21' + n * interval '1 minute', n % 50 = 0,
        ARRAY['x' || n, 'sub', 'ubj', 'bje', 'jec', 'ect', md5(n::text)]
    FROM generate_series(1, 20000) AS n
"""


def test_breached_first_then_due_soonest_then_level_then_grade(house: Any, given_complaint: Any) -> None:
    gold = house.customer(grade="gold")
    diamond = house.customer(grade="diamond")
    plain = given_complaint()
    preferred = given_complaint(customer_id=gold, complainant=None)
    vip = given_complaint(customer_id=diamond, complainant=None)
    house.clock.advance(minutes=1)
    later = given_complaint()
    with house.runtime.sessions.begin() as session:
        session.execute(text("UPDATE complaint SET breached = true WHERE id = :id"), {"id": later.id})

    queue = [found["id"] for found in house.as_("li").get("complaints", order="queue").items]

    assert queue == [later.id, vip.id, preferred.id, plain.id]


@pytest.mark.rule("AD-07")
def test_disputes_of_the_first_customers_go_first_also_when_they_rise_meanwhile(
    house: Any, given_complaint: Any
) -> None:
    somebody, another = house.customer(), house.customer()
    for customer in (somebody, another):
        given_complaint(customer_id=customer, complainant=None)
    last = house.as_("li").get("complaints", order="queue").items[-1]

    house.customer(last["customer_id"], type="graded", grade="platinum", previous=None)

    assert house.as_("li").get("complaints", order="queue").items[0]["id"] == last["id"]


def test_the_queue_is_read_page_by_page_without_loss(house: Any, given_complaint: Any) -> None:
    opened = {given_complaint().id for _ in range(5)}
    given_complaint().does("withdraw", {"reason": "x"})
    seen, cursor = [], None
    while True:
        page = house.as_("li").get("complaints", order="queue", limit=2, **({"cursor": cursor} if cursor else {}))
        seen += [found["id"] for found in page.items]
        cursor = page.next
        if cursor is None:
            break

    assert (len(seen), set(seen)) == (5, opened)


def test_filters_are_named_after_fields(house: Any, given_complaint: Any) -> None:
    one = given_complaint(level=2, category="policy", channel="letter")
    given_complaint().does("withdraw", {"reason": "x"})

    def found(**query: Any) -> list[str]:
        return [case["id"] for case in house.as_("zhou").get("complaints", **query).items]

    for query in (
        {"level": 2}, {"category": "policy"}, {"channel": "letter"}, {"handler": "chen"}, {"open": True},
        {"status": "received"}, {"unit": "SH001", "open": True}, {"type": "complaint", "open": True, "breached": False},
    ):  # fmt: skip
        assert found(**query) == [one.id], query
    assert found(level=3) == found(unit="SH002") == found(executive=True) == []
    assert len(found(unit="SH001")) == 2
    assert house.as_("zhou").get("complaints", colour="red").code == 422
    assert house.as_("zhou").get("complaints", order="queue", open=False).code == 422


def test_a_case_is_found_by_number_words_customer_and_telephone(house: Any, given_complaint: Any) -> None:
    somebody = house.customer(name="欧阳明", phones=[{"number": "+8613700137000"}])
    case = given_complaint(
        subject="瓶盖漏水", description="收到时已经漏了", customer_id=somebody, complainant={"phone": "13600136000"}
    )
    given_complaint(subject="Another matter", description="nothing of it")

    for q in (case.number, case.number[-4:], "漏水", "瓶盖", "欧阳", "13600136000", "137 0013 7000"):
        assert [found["id"] for found in house.as_("li").get("complaints", q=q).items] == [case.id], q
    assert house.as_("li").get("complaints", q="没有").items == []


def test_counts_are_of_what_is_open(house: Any, given_complaint: Any) -> None:
    given_complaint(level=2)
    given_complaint().acknowledged()
    given_complaint().does("withdraw", {"reason": "x"})

    counted = house.as_("li").get("complaints/counts")

    assert (counted.open, counted.mine, counted.breached) == (2, 1, 0)
    assert counted.by_status == {"received": 1, "acknowledged": 1}
    assert counted.by_level == {"1": 1, "2": 1, "3": 0}


def test_lists_show_the_open_clocks(given_complaint: Any, house: Any) -> None:
    given_complaint().contacted()

    (found,) = house.as_("li").get("complaints").items
    assert "first_contact" not in {clock["kind"] for clock in found["clocks"]}
    assert {"progress", "resolution"} <= {clock["kind"] for clock in found["clocks"]}


@pytest.fixture
def full_house(house: Any) -> Any:
    """20,000 cases, 1,000 of them open, and no entries that wait outside of the index, as autovacuum leaves it."""
    with house.runtime.sessions.begin() as session:
        session.execute(text(FILL))
    with house.runtime.engine.connect() as connection:
        connection.execution_options(isolation_level="AUTOCOMMIT").execute(text("VACUUM ANALYZE complaint"))
    return house


QUERIES: list[dict[str, Any]] = [
    {}, {"order": "queue"}, {"status": "received"}, {"open": True}, {"open": True, "level": 2}, {"handler": "handler7"},
    {"unit": "U7"}, {"category": "category7"}, {"customer_id": "01a1f6ae-9900-7ba5-abcb-a50bae7be724"},
    {"breached": True, "order": "queue"}, {"executive": True}, {"q": "X1777"}, {"q": "13800138000"},
    {"order": "queue", "handler": "handler7"},
]  # fmt: skip


def scans(plan: dict[str, Any]) -> list[str]:
    """The tables that a plan reads from end to end."""
    here = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return here + [scan for below in plan.get("Plans", ()) for scan in scans(below)]


def test_no_list_reads_the_whole_table(full_house: Any) -> None:
    house = full_house
    asked: list[tuple[str, str, Any]] = []
    current = ""

    def heard(_c: Any, _k: Any, statement: str, parameters: Any, *_: Any) -> None:
        if re.search(r"\bFROM complaint\b", statement):
            asked.append((current, statement, parameters))

    house.company.employ("far", ["handler"], unit="SH002")
    event.listen(Engine, "before_cursor_execute", heard)
    try:
        for who in ("admin", "far"):
            for query in QUERIES:
                current = f"{who}: {query}"
                assert house.as_(who).get("complaints", **query).code == 200, query
            current = f"{who}: counts"
            assert house.as_(who).get("complaints/counts").code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    guilty = []
    with house.runtime.engine.connect() as connection:
        for query, statement, parameters in asked:
            explained = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            if "complaint" in scans(explained[0]["Plan"]):
                guilty.append(query)
    assert guilty == []
    assert len(asked) >= 2 * (len(QUERIES) + 1)
