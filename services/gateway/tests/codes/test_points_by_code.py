"""Own points by one-time code (decision 16): proven by the telephone, guessed by nobody, telling of nobody."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from sqlalchemy import text

from chassis.runtime import Runtime
from chassis.timing.due import DuePoller
from chassis.web.principal import Permissions
from chassis.web.tokens import Keys, NotAuthentic, Verifier
from gateway.codes import errands
from gateway.codes.domain import fresh_code, number_key
from gateway.codes.tables import OneTimeCode
from gateway.routing.switchboard import Switchboard
from gateway.routing.upstream import Upstream

from ..conftest import Company, FakeService, reply

WANG = "019aa3c2-7b10-7c4e-9d57-1f0a5be3c001"
HERS, NOBODYS = "+86 138 0013 8000", "+86 139 0013 9000"
MEMBER = {
    "customer_id": WANG, "tier": "gold", "growth": 1500, "status": "active",
    "points": {"available": 740, "pending": 26, "held": 0, "blocked": 0, "deficit": 0},
    "expiring": [{"points": 740, "on": "2027-12-31"}],
}  # fmt: skip


class Portal:
    """The gateway before a registry that knows one number, and a notify that keeps what it is given."""

    def __init__(self, company: Company, fakes: dict[str, FakeService]) -> None:
        self.company, self.fakes = company, fakes

    def post(self, phone: str, code: str | None = None, address: str = "203.0.113.9") -> Any:
        body = {"phone": phone} | ({} if code is None else {"code": code})
        return self.company.http.post("/api/v1/portal/points", json=body, environ_base={"REMOTE_ADDR": address})

    def work(self) -> None:
        """What the worker would do by now."""
        DuePoller(self.company.runtime).drain()

    @property
    def letters(self) -> list[dict[str, Any]]:
        """What notify was given."""
        return [json.loads(seen.body) for seen in self.fakes["notify"].seen]

    def code_sent(self, phone: str = HERS) -> str:
        """Ask for a code and read the message."""
        assert self.post(phone).status_code == 202
        self.work()
        return str(self.letters[-1]["data"]["code"])


@pytest.fixture
def portal(company: Company, fake_service: Callable[..., FakeService], monkeypatch: pytest.MonkeyPatch) -> Portal:
    def registry(handler: Any) -> None:
        handler.note()
        phone = parse_qs(urlsplit(handler.path).query)["phone"][0]
        known = WANG if "13800138000".endswith(phone.replace(" ", "")[-9:]) else None
        reply(handler, 200, json.dumps({"customer_id": known}).encode())

    def loyalty(handler: Any) -> None:
        handler.note()
        reply(handler, 200, json.dumps(MEMBER).encode())

    def notify(handler: Any) -> None:
        handler.note()
        reply(handler, 202, b'{"id": "m"}')

    fakes = {
        name: fake_service(answer)
        for name, answer in (("customer", registry), ("loyalty", loyalty), ("notify", notify))
    }
    board = Switchboard({name: Upstream(name, fake.url) for name, fake in fakes.items()})
    monkeypatch.setattr(errands, "_switchboard", lambda _process: board)
    return Portal(company, fakes)


def test_whoever_holds_the_telephone_sees_the_points(portal: Portal) -> None:
    code = portal.code_sent()

    seen = portal.post("13800138000", code)

    assert seen.status_code == 200
    assert seen.json == {
        "tier": "gold", "points": {"available": 740, "pending": 26, "held": 0}, "growth": 1500,
        "expiring": [{"points": 740, "on": "2027-12-31"}],
    }  # fmt: skip
    (letter,) = portal.letters
    assert (letter["template"], letter["class"], letter["recipient"]["phone"]) == ("one_time_code", "service", HERS)
    assert letter["data"] == {"code": code, "minutes": 10}
    assert portal.post(HERS, code).status_code == 403, "a code works once"


def test_the_answer_and_what_is_written_are_the_same_for_every_number(portal: Portal) -> None:
    known, unknown = portal.post(HERS), portal.post(NOBODYS)

    assert (known.status_code, known.json) == (unknown.status_code, unknown.json) == (202, {"expires_in": 600})
    assert portal.fakes["customer"].seen == [], "nobody has asked yet whose number it is"
    portal.work()
    assert [letter["recipient"]["phone"] for letter in portal.letters] == [HERS]
    assert portal.post(HERS, "000000").json["detail"] == portal.post(NOBODYS, "000000").json["detail"]
    assert portal.post("12345", "000000").status_code == 403, "and for one that never asked"


def test_a_code_lives_ten_minutes(portal: Portal, clock: Any) -> None:
    first = portal.code_sent()
    clock.advance(minutes=9, seconds=59)
    assert portal.post(HERS, first).status_code == 200

    second = portal.code_sent()
    clock.advance(minutes=10)
    assert portal.post(HERS, second).status_code == 403


def test_after_five_tries_even_the_right_code_opens_nothing(portal: Portal) -> None:
    code = portal.code_sent()
    wrong = "111111" if code != "111111" else "222222"

    assert [portal.post(HERS, wrong).status_code for _ in range(4)] == [403] * 4
    assert portal.post(HERS, code).status_code == 200

    code = portal.code_sent()
    wrong = "111111" if code != "111111" else "222222"
    assert [portal.post(HERS, wrong).status_code for _ in range(5)] == [403] * 5
    assert portal.post(HERS, code).status_code == 403


def test_a_new_code_ends_the_one_before(portal: Portal) -> None:
    first, second = portal.code_sent(), portal.code_sent()

    assert first == second or portal.post(HERS, first).status_code == 403
    assert portal.post(HERS, second).status_code == 200


def test_a_right_guess_for_a_number_that_nobody_has_opens_nothing(portal: Portal) -> None:
    portal.post(NOBODYS)
    with portal.company.runtime.sessions() as session:
        code = str(session.query(OneTimeCode).one().code)
    portal.work()

    assert portal.post(NOBODYS, code).status_code == 403


def test_a_number_gets_three_codes_an_hour_and_ten_a_day_however_it_is_written(portal: Portal, clock: Any) -> None:
    for phone in (HERS, NOBODYS):
        assert [portal.post(phone).status_code for _ in range(3)] == [202] * 3
        refused = portal.post(phone.replace(" ", "").removeprefix("+86"))
        assert refused.status_code == 429
        assert refused.headers["Retry-After"] == "3600"
    for _ in range(2):
        clock.advance(hours=1, seconds=1)
        assert [portal.post(HERS, address="198.51.100.1").status_code for _ in range(3)] == [202] * 3
    clock.advance(hours=1, seconds=1)
    assert [portal.post(HERS, address="198.51.100.2").status_code for _ in range(2)] == [202, 429]


def test_an_address_asks_for_ten_numbers_an_hour(portal: Portal) -> None:
    answers = [portal.post(f"1390000{n:04d}", address="192.0.2.7").status_code for n in range(11)]

    assert answers == [202] * 10 + [429]
    assert portal.post("13900009999", address="192.0.2.8").status_code == 202


def test_while_notify_is_away_the_code_waits_and_is_the_same_on_every_try(portal: Portal, clock: Any) -> None:
    sent: list[tuple[str, str]] = []

    def away(handler: Any) -> None:
        handler.note()
        seen = portal.fakes["notify"].seen[-1]
        sent.append((json.loads(seen.body)["data"]["code"], seen.headers["Idempotency-Key"]))
        reply(handler, 503 if len(sent) < 3 else 202, b"{}")

    portal.fakes["notify"].answer = away
    portal.post(HERS)
    for _ in range(4):
        portal.work()
        clock.advance(seconds=30)

    assert len(sent) == 3
    assert len(set(sent)) == 1
    assert portal.post(HERS, sent[0][0]).status_code == 200


def test_while_loyalty_is_away_the_code_stays_good(portal: Portal) -> None:
    code = portal.code_sent()
    answer, portal.fakes["loyalty"].answer = portal.fakes["loyalty"].answer, lambda handler: reply(handler, 503, b"{}")

    away = portal.post(HERS, code)
    portal.fakes["loyalty"].answer = answer

    assert away.status_code == 503
    assert portal.post(HERS, code).status_code == 200


def test_neither_number_nor_code_is_left_behind_or_logged(portal: Portal, capfd: pytest.CaptureFixture[str]) -> None:
    code = portal.code_sent()
    portal.post(HERS, code)

    rows = _rows(portal.company.runtime)
    logged = "".join(capfd.readouterr())
    assert [(row["phone"], row["code"]) for row in rows] == [(None, None)]
    assert rows[0]["code_hash"].startswith("$argon2id$")
    assert code not in logged
    assert "13800138000" not in logged.replace(" ", "")


def test_before_it_is_sent_the_row_is_unreadable(portal: Portal) -> None:
    portal.post(HERS)

    (row,) = _rows(portal.company.runtime)
    assert "138" not in row["phone"]
    assert len(row["code"]) > 50
    assert b"138" not in bytes(row["number_key"])


def test_the_gateway_asks_as_itself_with_a_token_for_one_minute(portal: Portal, clock: Any) -> None:
    portal.code_sent()

    runtime = portal.company.runtime
    carried = [fake.seen[0].headers["Authorization"] for fake in portal.fakes.values() if fake.seen]
    verifier = Verifier(Keys(runtime.settings.jwks_url), Permissions({}), clock)
    who = verifier.verify(carried[0].removeprefix("Bearer "))
    assert (who.kind, who.id, who.roles) == ("system", "system:gateway", frozenset({"portal"}))
    clock.advance(minutes=1)
    with pytest.raises(NotAuthentic, match="expired"):
        verifier.verify(carried[0].removeprefix("Bearer "))


@pytest.mark.parametrize("body", [{}, {"phone": ""}, {"phone": "1", "code": "12345"}, {"phone": "1", "code": "12345a"},
                                  {"phone": "1", "code": "1234567"}, {"phone": "1", "x": 1}])  # fmt: skip
def test_what_is_no_number_and_no_code_is_refused(portal: Portal, body: dict[str, Any]) -> None:
    assert portal.company.http.post("/api/v1/portal/points", json=body).status_code == 422


def test_old_codes_are_forgotten(portal: Portal, clock: Any) -> None:
    portal.post(HERS)
    clock.advance(days=1, seconds=1)
    forget = next(one.run for one in portal.company.runtime.service.schedules if one.name == "forget-codes")
    with portal.company.runtime.context() as at:
        forget(at)

    assert _rows(portal.company.runtime) == []


def test_codes_are_six_digits_and_numbers_have_one_key() -> None:
    assert all(len(code) == 6 and code.isdigit() for code in (fresh_code() for _ in range(1000)))
    written = {
        number_key("k", phone)
        for phone in ("13800138000", "+86 138-0013-8000", "0086 13800138000", "１３８００１３８０００")
    }
    assert len(written) == 1
    assert number_key("k", "13800138001") not in written
    assert number_key("other", "13800138000") not in written


def _rows(runtime: Runtime) -> list[Any]:
    with runtime.sessions() as session:
        return list(session.execute(text("SELECT * FROM one_time_code ORDER BY asked_at")).mappings())


def test_the_pages_lead_to_the_points_and_tell_nobody_apart(portal: Portal) -> None:
    http = portal.company.http
    english = {"Accept-Language": "en"}

    asked, stranger = (
        http.post("/portal/points", data={"phone": phone}, headers=english) for phone in (HERS, "+86 139 0013 9001")
    )
    portal.work()
    code = portal.letters[-1]["data"]["code"]
    seen = http.post("/portal/points/seen", data={"phone": HERS, "code": code}, headers=english)
    again = http.post("/portal/points/seen", data={"phone": HERS, "code": code}, headers=english)

    assert asked.text.replace(HERS, "") == stranger.text.replace("+86 139 0013 9001", "")
    assert (seen.status_code, "740" in seen.text, "Gold" in seen.text) == (200, True, True)
    assert (again.status_code, "wrong, was used already" in again.text) == (403, True)
    assert http.post("/portal/points", data={"phone": "<b>"}, headers=english).status_code == 422
    assert http.post("/portal/points/seen", data={"phone": HERS, "code": "12"}, headers=english).status_code == 422
