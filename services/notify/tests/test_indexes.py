"""Every list of the service is served by an index: no sequential scan, however many rows there are."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event, text

from chassis.storage.encrypted import keyring

SIZE = 20_000
FILL = """
INSERT INTO message (id, route, source, event_id, recipient_kind, recipient, customer_id, unit_path, channel, channels,
                     class, template, status, created_at, not_before, expires_at, next_attempt_at, possible_duplicates,
                     provider_reference)
    SELECT md5('m' || n)::uuid, 'r' || n % 40, 's', 'e' || n, 'customer', 'c' || n % 900, md5('c' || n % 900)::uuid,
           '/SH/', 'sms', '{sms}', 'service', 't', CASE WHEN n % 300 = 0 THEN 'held' ELSE 'sent' END, now(), now(),
           now(), CASE WHEN n % 300 = 0 THEN now() END, CASE WHEN n % 700 = 0 THEN 1 ELSE 0 END, 'p' || n
    FROM generate_series(1, :size) n;
INSERT INTO inbox_item (id, message_id, username, kind, class, template, body, link, created_at, read_at)
    SELECT md5('i' || n)::uuid, md5('m' || n)::uuid, 'u' || n % 300, 'message', 'service', 't', :token, '{}', now(),
           CASE WHEN n % 50 > 0 THEN now() END
    FROM generate_series(1, :size) n;
INSERT INTO recipient_copy (customer_id, version, status, unit_path, updated_at)
    SELECT md5('c' || n)::uuid, 1, 'active', '/', now() FROM generate_series(1, :size) n;
INSERT INTO consent (customer_id, class, channel, given, at, recorded_at)
    SELECT md5('c' || n % 900)::uuid, 'care', 'any', true, now() + n * interval '1 s', now()
    FROM generate_series(1, :size) n;
INSERT INTO suppression (channel, fingerprint, id, address, reason, at, by)
    SELECT CASE WHEN n % 2 = 0 THEN 'sms' ELSE 'email' END, 'f' || n, md5('x' || n)::uuid, :token, 'r', now(), 'x'
    FROM generate_series(1, :size) n;
INSERT INTO open_complaint (complaint_id, customer_id, open, round, at)
    SELECT md5('o' || n)::uuid, md5('c' || n % 900)::uuid, n % 100 = 0, 1, now() FROM generate_series(1, :size) n
"""
LARGE = ("message", "inbox_item", "recipient_copy", "consent", "suppression", "open_complaint")


def _scans(plan: dict[str, Any]) -> list[str]:
    here = [plan["Relation Name"]] if plan["Node Type"] == "Seq Scan" else []
    return here + [scan for below in plan.get("Plans", ()) for scan in _scans(below)]


def test_no_list_and_no_look_for_work_reads_a_large_table_from_end_to_end(office, api):
    token = f"'{keyring(office.runtime.engine.dialect).encrypt('x')}'"
    with office.runtime.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        for statement in FILL.split(";\n"):
            connection.exec_driver_sql(
                statement.replace("%", "%%").replace(":size", str(SIZE)).replace(":token", token)
            )
        for table in LARGE:
            connection.execute(text(f"VACUUM ANALYZE {table}"))
        somebody = connection.execute(text("SELECT md5('c7')::uuid::text")).scalar_one()
        # None of the rows made here is to be sent.
        connection.execute(
            text("UPDATE message SET next_attempt_at = now() + interval '9 years' WHERE status = 'held'")
        )
    paths = [
        "messages", f"messages?customer_id={somebody}", "messages?status=held", "messages?recipient=c7",
        "messages?route=r7", "messages?event_id=e77", "messages?duplicates=true", "inbox?unread=true", "inbox",
        f"consents/{somebody}", f"preferences/{somebody}", "suppressions", "suppressions?channel=sms",
    ]  # fmt: skip
    seen: list[tuple[str, str, Any]] = []
    current = ""

    def note(connection, cursor, statement, parameters, context, executemany):
        if statement.startswith(("SELECT", "WITH")) and not statement.startswith("SELECT pg_"):
            seen.append((current, statement, parameters))

    event.listen(Engine, "before_cursor_execute", note)
    try:
        for path in paths:
            current = path
            who = api("u7", ["director"])
            assert who.client.get(f"/api/v1/{path}").status_code == 200, path
        current = "inbox/count"
        assert api("u7", ["director"]).get("inbox/count").status_code == 200
        current = "the sender's look"
        office.works()
        current = "planning"
        office.hears(office.points_expiring(somebody))
    finally:
        event.remove(Engine, "before_cursor_execute", note)
    found = []
    with office.runtime.engine.connect() as connection:
        for path, statement, parameters in seen:
            plan = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON) {statement}", parameters).scalar_one()
            found += [(path, scan) for scan in _scans(plan[0]["Plan"]) if scan in LARGE]
    assert found == []
