"""What an SMS costs, by the tables of 3GPP TS 23.038 and 23.040."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from notify.templates.segments import BASIC, ESCAPED, count


@pytest.mark.parametrize(
    ("text", "encoding", "length", "segments"),
    [
        ("", "GSM-7", 0, 0),
        ("Hello", "GSM-7", 5, 1),
        ("a" * 160, "GSM-7", 160, 1),
        ("a" * 161, "GSM-7", 161, 2),
        ("a" * 306, "GSM-7", 306, 2),
        ("a" * 307, "GSM-7", 307, 3),
        ("€" * 80, "GSM-7", 160, 1),
        ("a" * 152 + "€" + "a" * 7, "GSM-7", 161, 2),
        ("a" * 152 + "€" + "a" * 152, "GSM-7", 306, 3),  # the escaped one may not straddle two segments
        ("您" * 70, "UCS-2", 70, 1),
        ("您" * 71, "UCS-2", 71, 2),
        ("您" * 134, "UCS-2", 134, 2),
        ("您" * 135, "UCS-2", 135, 3),
        ("a" * 70 + "您", "UCS-2", 71, 2),  # one Chinese character changes the alphabet of the whole
        ("😀" * 35, "UCS-2", 70, 1),
        ("您" * 66 + "😀" + "您" * 66, "UCS-2", 134, 3),  # nor may a surrogate pair
    ],
)
def test_length_and_segments(text: str, encoding: str, length: int, segments: int) -> None:
    assert (count(text).encoding, count(text).length, count(text).segments) == (encoding, length, segments)


@given(st.text(alphabet=sorted(BASIC | ESCAPED | {"您", "😀"}), max_size=500))
def test_segments_hold_the_text_and_none_is_idle(text: str) -> None:
    found = count(text)
    alone, several = (160, 153) if found.encoding == "GSM-7" else (70, 67)

    if found.segments <= 1:
        assert found.length <= alone
    else:
        assert found.length > alone
        assert (found.segments - 1) * (several - 1) < found.length <= found.segments * several
