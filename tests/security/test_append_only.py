"""The loyalty service's own database role can neither change nor remove what was posted, nor make value vanish.

``ROWS`` says of every table which it is, and why: a new table fails here until somebody decides.
"""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import errors
from psycopg.conninfo import make_conninfo

from chassis.storage.migrations import migrate
from kezhi import databases
from kezhi.home import Home
from kezhi.installation import Installation, build_service

APPENDED, KEPT, FREE = "appended", "kept", "free"  # added alone; changed too, never removed; whatever is needed
RIGHTS = {APPENDED: {"SELECT", "INSERT"}, KEPT: {"SELECT", "INSERT", "UPDATE"}}
RIGHTS[FREE] = RIGHTS[KEPT] | {"DELETE"}

ROWS: dict[str, tuple[str, str]] = {
    "transaction": (APPENDED, "the books"),
    "lot_use": (APPENDED, "the books: what was taken from which lot"),
    "business_key": (APPENDED, "each has one effect for ever"),
    "tier_change": (APPENDED, "the tier at an instant is read from it"),
    "hold_lot": (APPENDED, "which lots a hold set aside; resolving it reads them"),
    "merged_lot": (APPENDED, "what came along with a merge; undoing it reads it"),
    "merged_hold": (APPENDED, "the same of holds"),
    "merged_grant": (APPENDED, "the same of a tier granted by hand"),
    "merged_part": (APPENDED, "the same of how often campaigns were profited of"),
    "birthday_grant": (APPENDED, "a year that was given something gives nothing more"),
    "opening": (APPENDED, "the totals that a file of balances was reconciled with"),
    "benefit_use": (APPENDED, "rights are counted by it"),
    "tier_notice": (APPENDED, "the member was warned before the fall"),
    "tier_review_line": (APPENDED, "what a review found; shown to those who decide"),
    "rebate": (APPENDED, "a dealer's period is settled once"),
    "rebate_period": (APPENDED, "who becomes a dealer later has no part in it"),
    "member": (KEPT, "the account: cached balances, the tier, what the registry says"),
    "lot": (KEPT, "remaining, reserved and state are cached; reconciled with lot_use"),
    "hold": (KEPT, "it resolves once"),
    "redemption": (KEPT, "it may be cancelled"),
    "voucher": (KEPT, "it is used, made void, or expires"),
    "reward": (KEPT, "the catalogue is edited, the stock counted"),
    "campaign": (KEPT, "drafted, started, stopped; the budget counted"),
    "adjustment": (KEPT, "it is booked once it is approved"),
    "referral": (KEPT, "it is earned, rewarded or taken back"),
    "merge": (KEPT, "it may be undone"),
    "fraud_review": (KEPT, "staff decide it"),
    "tier_review": (KEPT, "its counts grow while it runs"),
    "campaign_member": (FREE, "counts how often a member took part; what was given is in the books"),
    "identity": (FREE, "a copy of the registry's"),
    "member_profile": (FREE, "a copy of the registry's"),
    "contact_mark": (FREE, "digests, written anew with each event of the registry"),
    "lunar_birthday": (FREE, "a copy of the registry's"),
    "waiting_purchase": (FREE, "leaves when its customer is known"),
    "waiting_refund": (FREE, "leaves when its purchase is known"),
    "expiry_notice": (FREE, "forgotten 90 days after the end it spoke of"),
    "alembic_version": (FREE, "the migrations' own"),
}
APPEND_ONLY = [table for table, (kind, _) in ROWS.items() if kind == APPENDED]
MEANINGLESS = {
    "uuid": "01a1f6ae-9900-7052-869f-8ba423e55c03",
    "text": "x",
    "bytea": "x",
    "jsonb": "[]",
    "bigint": "1",
    "integer": "1",
    "date": "2026-11-20",
    "timestamp with time zone": "2026-11-20",
}
CHANGES = ["UPDATE {0} SET {1} = {1}", "DELETE FROM {0}", "TRUNCATE {0}"]


@dataclass
class Place:
    """The loyalty database as an installation makes it, through the eyes of the service and of a superuser."""

    service: psycopg.Connection[Any]
    superuser: psycopg.Connection[Any]

    def tables(self) -> dict[str, list[str]]:
        """Every table of the service, with its partitions."""
        found = self.superuser.execute(
            "SELECT c.relname, array(SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = c.oid)"
            " FROM pg_class c"
            " WHERE c.relnamespace = 'public'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition"
        )
        return dict(found.fetchall())

    def rights(self, table: str) -> set[str]:
        """What the service's role may do with a table's rows."""
        asked = "SELECT r FROM unnest(%s::text[]) AS r WHERE has_table_privilege(%s, %s, r)"
        every = ["SELECT", "INSERT", "UPDATE", "DELETE", "TRUNCATE", "REFERENCES", "TRIGGER"]
        return {row[0] for row in self.superuser.execute(asked, [every, self.service.info.user, table])}

    def columns(self, table: str) -> dict[str, str]:
        """Name and type of those that a row must give."""
        found = self.superuser.execute(
            "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute WHERE attrelid = %s::regclass AND attnum > 0"
            " AND NOT attisdropped AND attnotnull AND NOT atthasdef AND attidentity = ''",
            [table],
        )
        return dict(found.fetchall())

    def put_a_row(self, table: str) -> None:
        """A row of no meaning; what it refers to need not be there."""
        columns = self.columns(table)
        given = ", ".join(f"CAST('{MEANINGLESS[kind]}' AS {kind})" for kind in columns.values())
        self.superuser.execute("SET session_replication_role = replica")
        self.superuser.execute(f"INSERT INTO {table} ({', '.join(columns)}) VALUES ({given})")
        self.superuser.execute("SET session_replication_role = origin")


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory, pg_url: str) -> Iterator[Place]:
    """Roles, database and rights are made by the command that makes every installation's."""
    home = Home(tmp_path_factory.mktemp("home") / "home")
    home.create()
    made = Installation(home, home.resolved(f"t{uuid.uuid4().hex[:8]}", "amqp://nowhere", pg_url, 1))
    only_this = pytest.MonkeyPatch()
    only_this.setattr(databases, "SERVICES", ("loyalty",))
    try:
        databases.create_databases(made)
        migrate(build_service("loyalty"), made.database_url("loyalty", owner=True))
        name = made.database_name("loyalty")
        with (
            psycopg.connect(made.database_url("loyalty"), autocommit=True) as service,
            psycopg.connect(make_conninfo(pg_url, dbname=name), autocommit=True) as superuser,
        ):
            yield Place(service, superuser)
    finally:
        databases.drop_databases(made)
        only_this.undo()


def test_every_table_is_decided_about(place: Place) -> None:
    assert set(place.tables()) == set(ROWS)


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("table", ROWS)
def test_the_service_has_the_rights_it_needs_and_no_other(place: Place, table: str) -> None:
    partitions = place.tables()[table]

    assert {name: place.rights(name) for name in (table, *partitions)} == dict.fromkeys(
        (table, *partitions), RIGHTS[ROWS[table][0]]
    )


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("statement", CHANGES)
def test_what_was_posted_stays_for_the_service(place: Place, table: str, statement: str) -> None:
    for name in (table, *place.tables()[table]):
        with pytest.raises(errors.InsufficientPrivilege):
            place.service.execute(statement.format(name, next(iter(place.columns(table)))))


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("table", APPEND_ONLY)
def test_what_was_posted_stays_even_for_a_superuser(place: Place, table: str) -> None:
    place.put_a_row(table)
    filled = [name for name in (table, *place.tables()[table]) if _count(place, name)]

    for name in filled:
        for statement in CHANGES:
            with pytest.raises(errors.RestrictViolation, match="append-only"):
                place.superuser.execute(statement.format(name, next(iter(place.columns(table)))))
    assert _count(place, table) == 1


@pytest.mark.rule("CG-22")
@pytest.mark.parametrize("table", [table for table, (kind, _) in ROWS.items() if kind == KEPT])
def test_a_record_of_value_does_not_vanish(place: Place, table: str) -> None:
    for statement in CHANGES[1:]:
        with pytest.raises(errors.InsufficientPrivilege):
            place.service.execute(statement.format(table))


def _count(place: Place, table: str) -> int:
    (found,) = place.superuser.execute(f"SELECT count(*) FROM {table}").fetchone() or (0,)
    return int(found)
