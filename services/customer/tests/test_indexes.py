"""Every list of the service is served by an index: no sequential scan, however many rows there are."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Engine, event, text

FILL = """
INSERT INTO customer
    SELECT md5('c' || n)::uuid, 'C-' || n, 'individual', '客户' || n, 'ke hu', 'kehu' || n, ARRAY['x' || n, '^k', 'y' || n % 977],
           'active', 'service', NULL, 'U' || n % 50, 'o' || n % 300, NULL, '[]', '[]', '[]', '[]', '[]',
           ARRAY['t' || n % 400], '{}', '{"may_trade": true, "reasons": []}',
           CASE WHEN n % 500 = 0 THEN 'blocked' ELSE 'open' END, NULL, now(), 'x', now(), now() - n * interval '1 minute', 1
    FROM generate_series(1, :size) n;
INSERT INTO identity SELECT 'card:' || n, md5('c' || n)::uuid, now(), 'x' FROM generate_series(1, :size) n;
INSERT INTO customer_change (customer_id, field, by, collected_by, collected_at, at, version)
    SELECT md5('c' || n)::uuid, 'name', 'x', 'x', now(), now(), 1 FROM generate_series(1, :size) n;
INSERT INTO archive_entry (customer_id, at, kind, fact, data, source)
    SELECT md5('c' || n % 2000)::uuid, now() - n * interval '1 minute', 'purchase', 'f', '{}', 's'
    FROM generate_series(1, :size) n;
INSERT INTO purchase
    SELECT 'P' || n, md5('c' || n % 2000)::uuid, NULL, CASE WHEN n % 900 = 0 THEN 'waiting' ELSE 'accepted' END,
           now() - n * interval '1 minute', current_date, 'S' || n % 200, 'store', 'CNY', 1, 0, '{}', '/pos', 'E' || n, '', now()
    FROM generate_series(1, :size) n;
INSERT INTO segment
    SELECT md5('c' || n)::uuid, s, CASE WHEN n % 300 = 0 THEN 'high' ELSE 'low' END, now(), NULL, 'CG', 'v', NULL, '{}'
    FROM generate_series(1, :size) n, unnest(ARRAY['frequency', 'grade']) s;
INSERT INTO segmentation_run (id, family, scheme, as_of, dry_run, status, window_from, window_to, population, buyers,
                              summary, clause, policyversion, requested_by, created_at)
    SELECT md5('r')::uuid, 'grading', 'value', current_date, false, 'done', current_date, current_date, 1, 1, '{}', 'c', 'v', 'x', now();
INSERT INTO segmentation_result (run_id, customer_id, value, direction)
    SELECT md5('r')::uuid, md5('c' || n)::uuid, 'gold', CASE WHEN n % 50 = 0 THEN 'rise' ELSE 'same' END
    FROM generate_series(1, :size) n
"""  # noqa: E501
LARGE = ("customer", "identity", "customer_change", "archive_entry", "purchase", "segment", "segmentation_result")


@pytest.fixture(scope="module")
def size() -> int:
    return 30_000


@pytest.fixture
def filled(runtime, size):
    with runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in FILL.split(";\n"):
            connection.exec_driver_sql(statement.replace("%", "%%").replace(":size", str(size)))
        for table in LARGE:
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        somebody = connection.execute(text("SELECT md5('c7')::uuid")).scalar_one()
        run = connection.execute(text("SELECT md5('r')::uuid")).scalar_one()
    return {"somebody": somebody, "run": run}


def _scans(plan: dict[str, Any]) -> list[str]:
    here = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return here + [scan for below in plan.get("Plans", ()) for scan in _scans(below)]


def test_no_list_reads_a_large_table_from_end_to_end(runtime, admin, filled):
    paths = [
        "customers", "customers?q=y55", "customers?identity=card:17", "customers?owner=o7",
        "customers?unit=U7", "customers?tag=t9", "customers?standing=blocked", "customers?stale=true",
        "customers?class=frequency:high", "customers?grade=high",
        "customers?grade=ordinary", "customers?kind=individual", "customers/{somebody}", "customers/{somebody}/history",
        "customers/{somebody}/identities", "customers/{somebody}/archive", "customers/{somebody}/archive?kind=purchase",
        "customers/{somebody}/standing", "purchases", "purchases?customer_id={somebody}", "purchases?store=S7",
        "purchases?status=waiting", "purchases/P77", "unmatched-purchases", "gradings", "gradings/{run}/changes",
    ]  # fmt: skip
    seen: list[tuple[str, str, Any]] = []
    current = ""

    def note(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith(("SELECT", "(SELECT", "WITH")) and not statement.startswith("SELECT pg_"):
            seen.append((current, statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    for path in paths:
        current = path.format(**filled)
        answer = admin.get(f"/api/v1/{current}")
        assert answer.status_code == 200, (current, answer.json)
    event.remove(Engine, "before_cursor_execute", note)

    assert len(seen) >= len(paths)
    found = []
    with runtime.engine.connect() as connection:
        for path, statement, parameters in seen:
            [plan] = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            found += [(path, scan) for scan in _scans(plan["Plan"]) if scan in LARGE]
    assert found == []
