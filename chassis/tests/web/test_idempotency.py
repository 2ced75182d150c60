"""The same key is done once and answered twice (decision 18)."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text

from chassis.clock import FakeClock
from chassis.runtime import Runtime
from chassis.web.idempotency import Attempt, forget_expired

BOOKS = "/api/v1/books"
KEY = {"Idempotency-Key": "k-1"}


def test_the_same_key_and_content_is_answered_as_before(keeper: Any, a_book: Any) -> None:
    first = keeper.post(BOOKS, json=a_book(), headers=KEY)
    spelled_otherwise = dict(reversed(a_book().items()))

    again = keeper.post(BOOKS, json=spelled_otherwise, headers=KEY)

    assert (again.status_code, again.data) == (201, first.data)
    assert again.headers["Idempotency-Replayed"] == "true"
    assert len(keeper.get(BOOKS).json["items"]) == 1


def test_another_content_under_a_key_is_refused(keeper: Any, a_book: Any) -> None:
    keeper.post(BOOKS, json=a_book(), headers=KEY)

    answer = keeper.post(BOOKS, json=a_book(code="B-2"), headers=KEY)

    assert answer.status_code == 422
    assert "Idempotency-Key" in answer.json["errors"]


def test_keys_of_different_callers_and_paths_never_meet(
    shelf: Runtime, keeper: Any, a_book: Any, client: Callable[..., Any]
) -> None:
    keeper.post(BOOKS, json=a_book(), headers=KEY)

    other = client(shelf, roles=["keeper"], username="other").post(BOOKS, json=a_book(code="B-2"), headers=KEY)

    assert other.status_code == 201


def test_a_refused_request_leaves_its_key_free(keeper: Any, a_book: Any) -> None:
    assert keeper.post(BOOKS, json=a_book(price="x"), headers=KEY).status_code == 422

    assert keeper.post(BOOKS, json=a_book(), headers=KEY).status_code == 201


def test_posts_that_move_value_need_a_key_and_keep_it_for_ever(
    shelf: Runtime, keeper: Any, a_book: Any, clock: FakeClock
) -> None:
    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book(), headers=KEY).json['id']}"
    assert keeper.post(f"{url}/transfer", json={"copies": 2}).status_code == 400
    assert keeper.post(f"{url}/transfer", json={"copies": 2}, headers=KEY).json["copies"] == 1

    clock.at += timedelta(days=400)
    with shelf.context() as context:
        assert forget_expired(context) is False

    assert keeper.post(f"{url}/transfer", json={"copies": 2}, headers=KEY).json["copies"] == 1
    assert keeper.post(BOOKS, json=a_book(code="B-2"), headers=KEY).status_code == 201, "others last a day"


def test_a_secret_is_never_stored(shelf: Runtime, keeper: Any, a_book: Any) -> None:
    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book()).json['id']}"
    assert keeper.post(f"{url}/token", headers=KEY).json["token"]

    again = keeper.post(f"{url}/token", headers=KEY)

    assert again.status_code == 409
    assert keeper.get(url).json["copies"] == 4, "done once"
    with shelf.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM chassis.idempotency WHERE body IS NOT NULL")) == 0


def test_of_many_at_once_one_is_done(shelf: Runtime, keeper: Any, a_book: Any, client: Callable[..., Any]) -> None:
    url = f"{BOOKS}/{keeper.post(BOOKS, json=a_book(copies=100)).json['id']}"

    def transfer(_: int) -> int:
        return int(client(shelf, roles=["keeper"]).post(f"{url}/transfer", json={"copies": 1}, headers=KEY).status_code)

    with ThreadPoolExecutor(4) as pool:
        statuses = set(pool.map(transfer, range(12)))

    assert statuses <= {200, 409}
    assert keeper.get(url).json["copies"] == 99


def test_a_key_in_flight_is_a_conflict(shelf: Runtime, keeper: Any, a_book: Any) -> None:
    from hashlib import sha256

    from chassis.testkit.tokens import staff_id

    scope = sha256("\n".join((f"staff:{staff_id('keeper')}", BOOKS, "k-1")).encode()).digest()
    with shelf.sessions.begin() as held:
        held.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": int.from_bytes(scope[:8], signed=True)})
        assert keeper.post(BOOKS, json=a_book(), headers=KEY).status_code == 409

    assert keeper.post(BOOKS, json=a_book(), headers=KEY).status_code == 201


def test_a_key_past_its_day_is_free_again(shelf: Runtime, keeper: Any, a_book: Any, clock: FakeClock) -> None:
    keeper.post(BOOKS, json=a_book(), headers=KEY)
    clock.at += timedelta(hours=25)

    other = keeper.post(BOOKS, json=a_book(code="B-2"), headers=KEY)

    assert other.status_code == 201
    assert keeper.post(BOOKS, json=a_book(code="B-2"), headers=KEY).data == other.data


def test_a_twin_that_was_done_in_between_leaves_one_effect(
    shelf: Runtime, keeper: Any, a_book: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The look-up saw nothing and got the lock, for the twin was committed in that very moment."""
    monkeypatch.setattr(Attempt, "_look_up", lambda *_: None)
    assert keeper.post(BOOKS, json=a_book(), headers=KEY).status_code == 201

    assert keeper.post(BOOKS, json=a_book(code="B-2"), headers=KEY).status_code == 409

    assert len(keeper.get(BOOKS).json["items"]) == 1
