"""A whole installation with a company in it and a clock that travels: what complaint journeys are told in.

``Town`` speaks as people do - ``town.as_("li.wei").post(…)`` - always through the gateway.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

import psycopg

from kezhi.api import Api, Refused
from tests.house import PASSWORD, House, purchase
from tests.townsfolk import TOWNSFOLK

FRIDAY = datetime.fromisoformat("2026-02-13T17:40:00+08:00")  # the last working day before the make-up Saturday
Answer = TypeVar("Answer")


class Town:
    """One running installation, its staff of ``tests.townsfolk``, and 王芳, who buys there."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._clock = house.home.parent / "clock"
        self._people: dict[str, Api] = {}
        self.customers: dict[str, str] = {}  # name → id

    def open(self, at: datetime = FRIDAY) -> None:
        """Start it at an instant, with its people and two customers."""
        self.house.told["KEZHI_CLOCK"] = str(self._clock)
        self.travel_to(at)
        self.house.up()
        TOWNSFOLK.found(self.as_("admin"), PASSWORD)
        for name, card, phone in (("王芳", "8801", "13800008801"), ("刘强", "8802", "13800008802")):
            body = {
                "kind": "individual",
                "name": name,
                "unit": "SH001",
                "phones": [{"number": phone}],
                "emails": [{"address": f"guest{card}@example.com"}],
                "identities": [{"scheme": "card", "value": card}],
                "birthday": "1988-05-20",
            }
            self.customers[name] = self.as_("admin").post("/customers", body)["id"]
        for number, card in enumerate(("8801", "8801", "8802")):
            sale = purchase(card, f"{120 + number}.00", at=at, source="/pos/town")
            self.as_("admin").post("/purchases", sale)
        eventually(lambda: self.as_("admin").get(f"/members/{self.customers['王芳']}")["points"]["pending"] == 241)
        eventually(self.knows_staff)

    def as_(self, username: str) -> Api:
        """The gateway's API as this person."""
        if username not in self._people:
            self._people[username] = Api(f"http://127.0.0.1:{self.house.port}", username, PASSWORD)
        return self._people[username]

    def travel_to(self, at: datetime) -> None:
        """Move every process to an instant; who was signed in signs in again."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str((at - datetime.now(UTC)).total_seconds()))
        fresh.replace(self._clock)
        self._people.clear()

    def knows_staff(self) -> bool:
        """Whether every service's copy of the staff is complete."""
        installation = self.house.installation()
        for service in ("customer", "complaint", "notify"):
            with psycopg.connect(installation.database_url(service)) as connection:
                found = connection.execute("SELECT count(*) FROM chassis.staff").fetchone()
            if found is None or found[0] < len(TOWNSFOLK.staff):
                return False
        return True

    def rows(self, service: str, sql: str) -> list[Any]:
        """What a service's database says: for facts that no interface may show."""
        with psycopg.connect(self.house.installation().database_url(service)) as connection:
            return connection.execute(sql).fetchall()  # type: ignore[call-overload, no-any-return]


def eventually(ask: Callable[[], Answer], seconds: float = 30.0) -> Answer:
    """The first true answer; a service that does not know yet refuses."""
    deadline = time.monotonic() + seconds
    while True:
        try:
            if found := ask():
                return found
        except Refused:
            if time.monotonic() > deadline:
                raise
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {seconds} s")
        time.sleep(0.2)
