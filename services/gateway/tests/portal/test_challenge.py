"""The proof of work: signed, not stored; cheap to check, dear to make."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from gateway.portal.challenge import LIFE, Challenge, Unsolved, issue, nonce_of, solve, zero_bits

KEY = b"k" * 32
NOW = datetime(2026, 11, 20, 2, 0, tzinfo=UTC)


@pytest.fixture
def challenge() -> Challenge:
    return issue(KEY, NOW, bits=8)


def test_a_solved_challenge_tells_its_nonce_as_often_as_asked(challenge: Challenge) -> None:
    solution = solve(challenge)

    first, second = (nonce_of(KEY, NOW + timedelta(minutes=5), challenge.text, solution) for _ in range(2))

    assert first == second == challenge.text.split(".")[0]
    assert zero_bits(challenge.text, solution) >= 8


def test_what_is_not_ours_not_solved_or_too_old_is_refused(challenge: Challenge) -> None:
    solution = solve(challenge)
    unsolved = next(str(n) for n in range(1000) if zero_bits(challenge.text, str(n)) < 8)
    nonce, issued, _, mac = challenge.text.split(".")
    easier = f"{nonce}.{issued}.0.{mac}"
    cases = [
        (KEY, NOW, challenge.text, unsolved),
        (KEY, NOW, challenge.text, "abc"),
        (KEY, NOW, challenge.text, ""),
        (b"another key" * 3, NOW, challenge.text, solution),
        (KEY, NOW, easier, "0"),
        (KEY, NOW, "nonsense", solution),
        (KEY, NOW + LIFE + timedelta(seconds=2), challenge.text, solution),
        (KEY, NOW - timedelta(minutes=1), challenge.text, solution),
    ]

    for key, now, text, tried in cases:
        with pytest.raises(Unsolved):
            nonce_of(key, now, text, tried)
