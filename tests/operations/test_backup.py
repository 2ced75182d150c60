"""`kezhi backup` under load, `kezhi restore` elsewhere: whatever the engine, nothing is lost and nothing doubled."""

from __future__ import annotations

import io
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest
from tests.house import House, build_house, purchase, register
from tests.quick import of_the_long_run, quick_folder

from kezhi.backup.restore import without_foreign
from kezhi.home import Home
from kezhi.outlet import open_outlet
from kezhi.status import await_quiet

pytestmark = pytest.mark.timeout(600)

CARDS = [f"card-{number}" for number in range(10)]
TOTAL = 3  # points of one purchase; so few that no tier is reached


@pytest.fixture
def folder() -> Iterator[Path]:
    with quick_folder() as made:
        yield made


class Till(threading.Thread):
    """Publishes purchases until told to stop, and keeps which were confirmed."""

    def __init__(self, house: House) -> None:
        super().__init__(daemon=True)
        self.url = house.installation().configuration.amqp_url
        self.exchange = f"kezhi.{house.instance}.purchases"
        self.confirmed: list[tuple[str, str]] = []  # card, purchase id
        self.closing = threading.Event()

    def run(self) -> None:
        number = 0
        with open_outlet(self.url, self.exchange) as outlet:
            while not self.closing.wait(0.1):
                events = []
                for card in CARDS:
                    number += 1
                    events.append(purchase(card, f"{TOTAL}.00", number=f"P-{number}"))
                    outlet.publish(events[-1])
                outlet.flush()
                self.confirmed += [(card, event["id"]) for card, event in zip(CARDS, events, strict=True)]

    @contextmanager
    def selling(self) -> Iterator[None]:
        self.start()
        try:
            yield
        finally:
            self.closing.set()
            self.join()


def level_state(house: House, customers: dict[str, str]) -> Counter[str]:
    """Purchases per card as the customer service knows them, after loyalty's books were seen to say the same."""
    await_quiet(house.installation(), 90)
    api = house.api()
    bought = Counter()
    for card, customer in customers.items():
        bought[card] = len(all_of(api, customer))
        assert api.get(f"/members/{customer}")["points"]["pending"] == TOTAL * bought[card], card
    assert api.post("/reconciliations", {}, f"level-{house.instance}")["mismatches"] == 0
    return bought


def all_of(api, customer: str) -> set[str]:  # type: ignore[no-untyped-def]
    found: set[str] = set()
    after = None
    while True:
        page = api.get("/purchases", customer_id=customer, limit=200, **({"cursor": after} if after else {}))
        found |= {row["purchase_id"] for row in page["items"]}
        after = page.get("next")
        if not after:
            return found


@of_the_long_run
def test_a_backup_under_load_is_of_one_instant_and_comes_back_on_the_embedded_engine(folder: Path) -> None:
    house, other = build_house(folder / "客 至"), build_house(folder / "other")
    other.instance = house.instance
    with house.lasting():
        house.up()
        customers = register(house.api(), CARDS)
        till = Till(house)
        with till.selling():
            time.sleep(3)
            before = Counter(card for card, _ in till.confirmed)
            saved = house.command("backup", str(folder / "all.kezhi"))
            assert saved.returncode == 0, saved.stderr
            time.sleep(1)
        everything = level_state(house, customers)
        assert everything == Counter(card for card, _ in till.confirmed)

        again = house.command("backup", str(folder / "all.kezhi"))
        assert again.returncode == 1
        assert "a backup is never written over" in again.stderr

    assert (folder / "all.kezhi").stat().st_mode & 0o777 == 0o600
    assert "whoever can read the file can read everything" in saved.stdout
    with other.lasting():
        restored = other.command("restore", str(folder / "all.kezhi"), "--port", str(other.port))
        assert restored.returncode == 0, restored.stderr
        refused = other.command("restore", str(folder / "all.kezhi"))
        assert "say --replace to throw it away" in refused.stderr
        other.up()

        found = level_state(other, customers)

        assert all(before[card] <= found[card] <= everything[card] for card in CARDS)
        assert sum(found.values()) < sum(everything.values())


@of_the_long_run
@pytest.mark.broker
@pytest.mark.database
def test_from_given_servers_under_load_to_the_embedded_engine_and_back(
    folder: Path, rabbitmq_url: str, pg_url: str
) -> None:
    given, embedded = build_house(folder / "given", rabbitmq_url, pg_url), build_house(folder / "embedded")
    back = build_house(folder / "back", rabbitmq_url, pg_url)
    with given.lasting():
        given.up()
        customers = register(given.api(), CARDS)
        till = Till(given)
        with till.selling():
            time.sleep(3)
            saved = given.command("backup", str(folder / "given.kezhi"))
            assert saved.returncode == 0, saved.stderr
    with embedded.lasting():
        restored = embedded.command("restore", str(folder / "given.kezhi"))
        assert restored.returncode == 0, restored.stderr
        assert "will be published again" in restored.stdout
        embedded.up()
        level_state(embedded, customers)
        resend(embedded, till)  # what RabbitMQ held, the till sends again: it does not know what we have
        everything = level_state(embedded, customers)
        assert everything == Counter(card for card, _ in till.confirmed)
        embedded.down()

        saved = embedded.command("backup", str(folder / "embedded.kezhi"))  # its database is started for the moment
        assert saved.returncode == 0, saved.stderr
        assert embedded.command("status").returncode == 1
    with back.lasting():
        restored = back.command("restore", str(folder / "embedded.kezhi"))
        assert restored.returncode == 0, restored.stderr
        back.up()

        assert level_state(back, customers) == everything


def resend(house: House, till: Till) -> None:
    with open_outlet(house.installation().configuration.amqp_url, f"kezhi.{house.instance}.purchases") as outlet:
        for card, number in till.confirmed:
            outlet.publish(purchase(card, f"{TOTAL}.00", number=number))
        outlet.flush()


def test_what_only_its_own_server_knows_is_left_out_of_a_dump_and_rows_never() -> None:
    rows = (
        b"COPY a.b (c) FROM stdin;\nSET transaction_timeout = 0;\nALTER TABLE ONLY a.b ALTER COLUMN c SET (x=1);\n\\.\n"
    )
    dump = io.BytesIO(
        b"SET transaction_timeout = 0;\nCREATE TABLE a.b (c text);\n"
        b"ALTER TABLE ONLY a.b ALTER COLUMN c SET (vendors_own=1);\n"
        b"ALTER TABLE ONLY a.b ALTER COLUMN c SET DEFAULT 'x';\n" + rows + b"SET transaction_timeout = 0;\n"
    )
    kept = io.BytesIO()

    without_foreign(dump, kept)

    assert kept.getvalue() == (
        b"CREATE TABLE a.b (c text);\nALTER TABLE ONLY a.b ALTER COLUMN c SET DEFAULT 'x';\n" + rows
    )


def test_a_file_that_is_no_backup_is_refused_and_nothing_made(folder: Path) -> None:
    house = build_house(folder / "home")
    (folder / "some.tar").write_bytes(b"no tar")

    refused = house.command("restore", str(folder / "some.tar"))

    assert refused.returncode == 1
    assert "is no backup of Kezhi" in refused.stderr
    assert not house.home.exists()


def test_a_restore_takes_over_key_and_rights_and_one_that_was_cut_off_is_no_installation(folder: Path) -> None:
    house, other = build_house(folder / "one"), build_house(folder / "two")
    whole, torn = folder / "whole.kezhi", folder / "torn.kezhi"
    with house.lasting():
        house.up()
        rights = rights_in(house)
        house.down()
        assert house.command("backup", str(whole)).returncode == 0  # its database is started for the moment
        key = Home(house.home).secrets()
    with tarfile.open(whole) as source, tarfile.open(torn, "w") as target:
        for entry in source.getmembers():
            if entry.name != "notify.dump":
                target.addfile(entry, source.extractfile(entry))

    with other.lasting():
        assert other.command("restore", str(torn)).returncode == 1
        refused = other.command("up", "--port", str(other.port))
        assert refused.returncode == 1
        assert "a restore was cut off here" in refused.stderr

        mended = other.command("restore", str(whole), "--replace")
        assert mended.returncode == 0, mended.stderr

        taken = Home(other.home).secrets()
        assert taken["field_key"] == key["field_key"]
        assert taken["database"] != key["database"]
        other.up()
        assert other.api().get("/staff")["items"]  # signed in with a key that the field key opens
        assert rights_in(other) == rights
        assert rights["public.transaction"] == "INSERT, SELECT", "to the books it may only add"


def rights_in(house: House) -> dict[str, str]:
    """What loyalty's own role may do with each table and sequence of its database."""
    installation = house.installation()
    with psycopg.connect(installation.database_url("loyalty", owner=True)) as connection:
        given = connection.execute(
            "SELECT c.oid::regclass::text, c.relnamespace::regnamespace::text, "
            "string_agg(a.privilege_type, ', ' ORDER BY a.privilege_type) "
            "FROM pg_class c CROSS JOIN LATERAL aclexplode(c.relacl) a JOIN pg_roles r ON r.oid = a.grantee "
            "WHERE r.rolname = %s GROUP BY c.oid",
            (installation.database_name("loyalty"),),
        ).fetchall()
    return {place if "." in place else f"{schema}.{place}": rights for place, schema, rights in given}
