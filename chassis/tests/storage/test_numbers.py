"""Numbers without gaps: parallel takers, takers that fail, and blocks."""

from __future__ import annotations

import random
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text

from chassis.service import Service
from chassis.storage.numbers import take, taken

SERVICE = Service("letters", "Letters", "1", Path(__file__).parent / "sample_migrations")


class Changed(Exception):
    """The writer changed its mind after it took its number."""


@pytest.fixture
def runtime(make_runtime):
    return make_runtime(SERVICE, pool_size=16)


def test_sixteen_writers_of_which_many_fail_leave_no_gap_and_no_double(runtime):
    def write(writer: int) -> None:
        chance = random.Random(writer)
        for _ in range(20):
            try:
                with runtime.sessions.begin() as session:
                    for number in take(session, "complaint", chance.choice([1, 1, 1, 5])):
                        session.execute(text("INSERT INTO letter (id, text) VALUES (:n, 'x')"), {"n": number})
                    if chance.random() < 0.4:
                        raise Changed  # noqa: TRY301 - the transaction must see it
            except Changed:
                continue

    with ThreadPoolExecutor(16) as writers:
        list(writers.map(write, range(16)))

    with runtime.sessions() as session:
        numbers = list(session.scalars(text("SELECT id FROM letter ORDER BY id")))
        assert numbers == list(range(1, len(numbers) + 1))
        assert len(numbers) == taken(session, "complaint") > 100


def test_series_count_apart_and_a_block_is_taken_whole(runtime):
    with runtime.sessions.begin() as session:
        assert list(take(session, "a", 3)) == [1, 2, 3]
        assert list(take(session, "b")) == [1]
        assert list(take(session, "a")) == [4]
        assert taken(session, "never") == 0
