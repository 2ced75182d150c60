"""A code that was mistyped is told from one that never was."""

from __future__ import annotations

from itertools import combinations

from hypothesis import given
from hypothesis import strategies as st

from loyalty.vouchers.domain import SYMBOLS, draw, normal

codes = st.builds(draw)


@given(codes)
def test_a_code_is_read_as_people_write_it(code: str) -> None:
    assert normal(code) == normal(code.lower().replace("-", " ")) == code
    assert normal(code[:-1]) is None
    assert normal(f"{code}2") is None


@given(codes)
def test_no_single_mistake_gives_another_code(code: str) -> None:
    for place, symbol in enumerate(code):
        if symbol != "-":
            others = (code[:place] + other + code[place + 1 :] for other in SYMBOLS if other != symbol)
            assert [normal(other) for other in others] == [None] * 30


@given(codes)
def test_no_two_symbols_that_changed_places_give_another_code(code: str) -> None:
    bare = code.replace("-", "")
    for first, second in combinations(range(len(bare)), 2):
        if bare[first] != bare[second]:
            swapped = list(bare)
            swapped[first], swapped[second] = bare[second], bare[first]
            assert normal("".join(swapped)) is None


def test_nothing_that_people_confuse_is_in_a_code() -> None:
    assert not set("01OIL") & set(SYMBOLS)
    assert len({draw() for _ in range(1000)}) == 1000
