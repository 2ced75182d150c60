"""One request of the gateway's own: the answer taken apart, a refusal among them; what is no answer is missing."""

from __future__ import annotations

from typing import Any

import pytest

from gateway.routing import switchboard
from gateway.routing.switchboard import Missing, Switchboard
from gateway.routing.upstream import Answer, Resting, TooSlow, Unreachable


class Telling:
    """A service that says one thing, or raises it."""

    def __init__(self, said: Any) -> None:
        self.said = said
        self.seen: list[Any] = []

    def carry(self, method: str, target: str, headers: Any, body: Any, seconds: Any = None) -> Answer:
        self.seen.append((method, target, dict(headers), body, seconds))
        if isinstance(self.said, Exception):
            raise self.said
        return self.said


def told(status: int, *pieces: bytes, kind: str = "application/json") -> Answer:
    return Answer(status, "", [("Content-Type", kind)], pieces)


def ask(said: Any, method: str = "GET", **more: Any) -> Any:
    board: Any = Switchboard({"loyalty": Telling(said)})  # type: ignore[dict-item]
    return board.send(method, "members/1", token="t-1", request_id="r-1", **more)


def test_a_refusal_is_an_answer_too() -> None:
    refused = ask(told(404, b'{"title": "Not found"}', kind="application/problem+json"))

    assert (refused.granted, refused.status, refused.problem) == (False, 404, {"title": "Not found"})


def test_what_is_sent_says_who_asks_and_how_long_it_is() -> None:
    loyalty = Telling(told(200, b'{"a":', b" 1}"))
    board = Switchboard({"loyalty": loyalty})  # type: ignore[dict-item]

    answered = board.send("POST", "members/1/x", token="t-1", request_id="r-1", body={"n": 1}, key="k", seconds=2.0)
    board.send("POST", "members/1/x", token=None, request_id="r-2")

    (method, target, headers, body, seconds), (_, _, bare, nothing, _) = loyalty.seen
    assert answered.value == {"a": 1}
    assert (method, target, body, seconds) == ("POST", "/api/v1/members/1/x", b'{"n":1}', 2.0)
    assert (headers["Authorization"], headers["Idempotency-Key"], headers["Content-Length"]) == ("Bearer t-1", "k", "7")
    assert ("Authorization" in bare, bare["Content-Length"], nothing) == (False, "0", None)


@pytest.mark.parametrize(
    ("said", "reason"),
    [
        (Resting(), "resting"),
        (TooSlow(), "slow"),
        (Unreachable(), "away"),
        (told(503, b"{}"), "away"),
        (told(500, b"{}"), "failed"),
        (told(200, b"{nonsense"), "failed"),
    ],
)
def test_what_is_no_answer_is_missing_with_its_reason(said: Any, reason: str) -> None:
    with pytest.raises(Missing) as missing:
        ask(said)

    assert (missing.value.service, missing.value.reason) == ("loyalty", reason)


def test_an_answer_that_breaks_off_or_never_ends_is_missing_and_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(switchboard, "LARGEST", 10)

    class Body:
        def __init__(self, *pieces: Any) -> None:
            self.pieces, self.closed = pieces, False

        def __iter__(self) -> Any:
            for piece in self.pieces:
                if isinstance(piece, Exception):
                    raise piece
                yield piece

        def close(self) -> None:
            self.closed = True

    for body, reason in ((Body(b"[", ConnectionResetError()), "away"), (Body(b"123456", b"123456"), "failed")):
        with pytest.raises(Missing) as missing:
            ask(Answer(200, "", [("Content-Type", "application/json")], body))
        assert (missing.value.reason, body.closed) == (reason, True)


def test_a_service_that_nobody_named_is_not_connected() -> None:
    with pytest.raises(Missing) as missing:
        Switchboard({}).send("GET", "complaints", token=None, request_id="r")

    assert (missing.value.service, missing.value.reason) == ("complaint", "not_connected")
