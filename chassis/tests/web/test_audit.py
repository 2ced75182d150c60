"""Every change leaves a row, and no row is changed or taken out unnoticed (decision 19)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from chassis import logs
from chassis.audit.trail import inspect, seal
from chassis.runtime import Runtime

AUDIT = "/api/v1/services/shelf/audit"


@pytest.fixture
def written(keeper: Any, a_book: Any) -> list[str]:
    """The ids of three books that were added."""
    return [keeper.post("/api/v1/books", json=a_book(code=f"B-{n}")).json["id"] for n in range(3)]


def test_a_change_is_found_by_who_what_and_about_which(
    written: list[str], keeper: Any, a_book: Any, administrator: Any
) -> None:
    keeper.post("/api/v1/books", json=a_book(code="B-0"))  # refused: leaves nothing
    keeper.get("/api/v1/books")

    rows = administrator.get(f"{AUDIT}?username=keeper").json["items"]

    assert [row["subject"] for row in rows] == written[::-1]
    assert rows[0]["action"] == "books.add_book"
    assert (rows[0]["method"], rows[0]["path"], rows[0]["status"]) == ("POST", "/api/v1/books", 201)
    assert rows[0]["details"] == {"copies": 3}
    one = administrator.get(f"{AUDIT}?subject={written[1]}&action=books.add_book").json["items"]
    assert [row["request_id"] for row in one] == [rows[1]["request_id"]]
    assert administrator.get(f"{AUDIT}?since=2027-01-01T00:00:00Z").json["items"] == []


@pytest.mark.rule("TR-11")
def test_what_the_guard_hides_is_hidden_in_the_trail_as_well(
    shelf: Runtime, written: list[str], keeper: Any, a_book: Any, client: Callable[..., Any]
) -> None:
    deeds = keeper.post("/api/v1/books", json=a_book(code="B-9", title="The deeds of zhou")).json["id"]

    seen = {
        name: [row["subject"] for row in client(shelf, username=name).get(AUDIT).json["items"]]
        for name in ("zhou", "qian")
    }

    assert seen["qian"] == [deeds, *written[::-1]]
    assert seen["zhou"] == written[::-1]


def test_a_personal_link_stands_neither_in_the_trail_nor_in_the_log(
    shelf: Runtime, keeper: Any, administrator: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    logs.configure("shelf", "INFO")  # anew, so that it writes where this test reads
    assert keeper.post("/api/v1/loans/Zm9sbG93LWEtY29tcGxhaW50/end").status_code == 204

    row = administrator.get(f"{AUDIT}?username=keeper").json["items"][0]

    assert (row["path"], row["subject"], row["details"]) == ("/api/v1/loans/***/end", None, {"copies": 1})
    logged = capsys.readouterr().err
    assert "/api/v1/loans/***/end" in logged
    assert "Zm9sbG93" not in logged


def test_sealed_rows_agree_with_their_seal(shelf: Runtime, written: list[str], administrator: Any) -> None:
    with shelf.context() as context:
        assert seal(context) is False

    found = administrator.get(f"{AUDIT}/inspection").json

    assert found == {"seals": 1, "sealed": 3, "waiting": 0, "broken": []}


def test_a_row_can_neither_be_changed_nor_removed(shelf: Runtime, written: list[str]) -> None:
    for statement in ("UPDATE chassis.audit SET username = 'x'", "DELETE FROM chassis.audit"):
        with pytest.raises(DBAPIError, match="neither changed nor removed"), shelf.sessions.begin() as session:
            session.execute(text(statement))


@pytest.mark.parametrize(
    "forgery",
    [
        "UPDATE chassis.audit SET username = 'nobody' WHERE id = 2",
        "DELETE FROM chassis.audit WHERE id = 2",
        "UPDATE chassis.audit_seal SET digest = chain WHERE id = 1",
    ],
)
def test_whoever_gets_around_that_is_found_out(
    shelf: Runtime, written: list[str], keeper: Any, a_book: Any, forgery: str
) -> None:
    with shelf.context() as context:
        seal(context)
    keeper.post("/api/v1/books", json=a_book(code="B-9"))
    with shelf.context() as context:
        seal(context)

    with shelf.sessions.begin() as session:
        session.execute(text("ALTER TABLE chassis.audit DISABLE TRIGGER append_only"))
        session.execute(text(forgery))

    with shelf.sessions() as session:
        assert inspect(session).broken[0]["seal"] == 1
