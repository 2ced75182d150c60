"""One case is read in one statement, and shows exactly what the change before it answered."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Engine, event


def test_what_is_read_is_what_the_change_answered(house: Any, given_complaint: Any, clock: Any) -> None:
    customer = house.customer(grade="vip")
    case = given_complaint(customer_id=customer, against={"kind": "store", "ref": "SH001"}).triaged()
    clock.advance(days=3)
    house.drain()  # clocks ran out and the case went up

    for move in (case.investigated, case.proposed, case.resolved):
        handler = case.handler
        move(by=handler)
        assert case.now(handler).body == case.last.body
    again = case.callback(4)
    assert (case.round, case.now("fei").body) == (2, again.body)
    assert len(again.clocks) > 4
    assert [form["round"] for form in again.rounds] == [1, 2]


def test_a_deputy_and_whoever_shall_approve_read_what_they_may_do(house: Any, given_complaint: Any) -> None:
    case = given_complaint().triaged()
    house.company.employ("qian", ["handler"], unit="SH002")
    assert case.now("qian").code == 404
    house.company.employ("ma", ["handler"], unit="SH001", superior="chen")
    assert "investigate" not in case.now("ma").allowed
    away = {"away_from": "2026-01-01T00:00:00Z", "deputy": "ma"}
    house.company.employ("li", ["handler"], unit="SH001", superior="chen", **away)

    assert "investigate" in case.now("ma").allowed


def test_it_takes_one_statement(house: Any, given_complaint: Any) -> None:
    case = given_complaint(customer_id=house.customer()).resolved()
    desk = house.as_("chen")
    desk.get(f"complaints/{case.id}")
    beside: list[str] = []

    def heard(_c: Any, _k: Any, statement: str, *_: Any) -> None:
        beside.append(statement)

    event.listen(Engine, "before_cursor_execute", heard)
    try:
        assert desk.get(f"complaints/{case.id}").code == 200
    finally:
        event.remove(Engine, "before_cursor_execute", heard)
    assert beside == [], "beside the one that goes past the session"
