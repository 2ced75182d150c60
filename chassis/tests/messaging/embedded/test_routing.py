"""The pattern of a binding means to PostgreSQL what it means to Python, and what AMQP says."""

from __future__ import annotations

import re

import psycopg
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st

from chassis.messaging.embedded.routing import pattern, words

KEYS = st.lists(st.sampled_from(["a", "b", "客", "+", "a b", "\\", "$", ""]), max_size=5).map(".".join)
BINDINGS = st.lists(st.sampled_from(["a", "b", "客", "+", "\\", "*", "#", ""]), max_size=5).map(".".join)


def means(binding: list[str], key: list[str]) -> bool:
    """The rule itself, word by word."""
    if not binding:
        return not key
    first, rest = binding[0], binding[1:]
    if first == "#":
        return any(means(rest, key[skipped:]) for skipped in range(len(key) + 1))
    return bool(key) and first in ("*", key[0]) and means(rest, key[1:])


def split(text: str) -> list[str]:
    return text.split(".") if text else []


@given(binding=BINDINGS, key=KEYS)
def test_a_topic_pattern_is_the_rule(binding: str, key: str) -> None:
    assert bool(re.search(pattern("topic", binding), words(key))) == means(split(binding), split(key))


@given(key=KEYS, other=KEYS)
def test_a_direct_pattern_is_equality(key: str, other: str) -> None:
    assert bool(re.search(pattern("direct", key), words(other))) == (key == other)


def test_postgresql_reads_the_patterns_as_python_does(pg_url: str) -> None:
    with psycopg.connect(pg_url) as connection:

        @examples(max_examples=200)
        @given(binding=BINDINGS, key=KEYS)
        def alike(binding: str, key: str) -> None:
            expression = pattern("topic", binding)
            row = connection.execute("SELECT %s::text ~ %s::text", (words(key), expression)).fetchone()
            assert row == (bool(re.search(expression, words(key))),)

        alike()
