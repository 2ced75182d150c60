"""Ids: born in order, and the same for the same fact."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta
from uuid import RFC_4122, UUID

from chassis.ids import derived_id, derived_text, uuid7, uuid7_texts

NOON = datetime(2026, 11, 22, 12, tzinfo=UTC)


def test_what_is_born_in_one_millisecond_sorts_as_it_was_born() -> None:
    born = [uuid7(NOON) for _ in range(10_000)]

    assert sorted(born) == born
    assert len(set(born)) == 10_000


def test_a_later_instant_sorts_later_and_an_earlier_one_earlier() -> None:
    now, later, before = uuid7(NOON), uuid7(NOON + timedelta(milliseconds=1)), uuid7(NOON - timedelta(milliseconds=1))

    assert before < now < later


def test_it_is_a_version_7_id_that_tells_its_instant() -> None:
    born = uuid7(NOON)

    assert (born.version, born.variant) == (7, RFC_4122)
    assert born.int >> 80 == int(NOON.timestamp() * 1000)


def test_threads_never_bear_the_same_id() -> None:
    born: list[UUID] = []

    def bear() -> None:
        born.extend(uuid7(NOON) for _ in range(2_000))

    threads = [threading.Thread(target=bear) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert len(set(born)) == len(born) == 16_000


def test_the_same_fact_has_the_same_id_as_text_and_as_uuid() -> None:
    fact = ("loyalty", "order:1", "points.earned")

    assert derived_id(*fact) == derived_id(*fact)
    assert derived_text(*fact) == str(derived_id(*fact))
    assert derived_id(*fact) != derived_id("loyalty", "order:2", "points.earned")


def test_ids_as_texts_and_as_uuids_share_one_order() -> None:
    born = [str(uuid7(NOON)), *uuid7_texts(NOON, 3), str(uuid7(NOON))]

    assert sorted(born) == born
    assert {UUID(text).version for text in born} == {7}
