"""Too much is refused with the time to wait; loopback is spared only where nothing is at stake."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chassis.runtime import Runtime
from chassis.settings import Settings
from chassis.testkit.tokens import bearer
from chassis.web.limits import Limits
from chassis.web.problems import TooMany

BOOKS = "/api/v1/books"


def test_a_caller_past_the_limit_waits_and_others_do_not(
    make_runtime: Callable[..., Runtime], sample: Any, client: Callable[..., Any]
) -> None:
    runtime = make_runtime(sample.build_service, mode="production")
    busy, calm = client(runtime, roles=["reader"], username="a"), client(runtime, roles=["reader"], username="b")
    busy.application.limits = Limits(runtime.settings, per_caller="3 per minute")

    answers = [busy.get(BOOKS) for _ in range(4)]

    assert [answer.status_code for answer in answers] == [200, 200, 200, 429]
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60
    assert answers[-1].mimetype == "application/problem+json"
    assert calm.get(BOOKS).status_code == 200


def test_guessing_tokens_is_limited_by_address(
    make_runtime: Callable[..., Runtime], sample: Any, client: Callable[..., Any]
) -> None:
    runtime = make_runtime(sample.build_service, mode="production")
    stranger = client(runtime, roles=None)
    stranger.application.limits = Limits(runtime.settings, per_stranger="2 per minute")

    statuses = [stranger.get(BOOKS, headers={"Authorization": f"Bearer x{n}"}).status_code for n in range(3)]

    assert statuses == [401, 401, 429]
    assert client(runtime, roles=["reader"]).get(BOOKS).status_code == 200


def test_evaluation_spares_loopback(shelf: Runtime, reader: Any) -> None:
    reader.application.limits = Limits(shelf.settings, per_caller="1 per minute")

    assert [reader.get(BOOKS).status_code for _ in range(3)] == [200, 200, 200]
    assert reader.get(BOOKS, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 200
    assert reader.get(BOOKS, environ_base={"REMOTE_ADDR": "203.0.113.9"}).status_code == 429


def test_behind_the_gateway_the_callers_own_address_counts() -> None:
    limits = Limits(Settings("sample", "", "", trusted_proxies=("127.0.0.0/8", "10.1.0.0/16")))

    assert limits.address_of("9.9.9.9", None) == "9.9.9.9"
    assert limits.address_of("127.0.0.1", "9.9.9.9") == "9.9.9.9"
    assert limits.address_of("127.0.0.1", "9.9.9.9, 10.1.2.3") == "9.9.9.9"
    assert limits.address_of("127.0.0.1", "1.1.1.1, 9.9.9.9") == "9.9.9.9", "what the caller wrote is not believed"
    assert limits.address_of("9.9.9.9", "127.0.0.1") == "9.9.9.9", "nor anything from an address that is no proxy"
    assert limits.address_of("127.0.0.1", None) == "127.0.0.1"


def test_a_redis_that_is_away_turns_nobody_away_and_limits_still_hold(
    make_runtime: Callable[..., Runtime], sample: Any, client: Callable[..., Any]
) -> None:
    runtime = make_runtime(sample.build_service, mode="production", redis_url="redis://127.0.0.1:9/0")
    busy = client(runtime, roles=["reader"])
    busy.application.limits = Limits(runtime.settings, per_caller="2 per minute")

    assert [busy.get(BOOKS).status_code for _ in range(3)] == [200, 200, 429]


def test_a_service_that_speaks_for_many_is_not_counted(
    make_runtime: Callable[..., Runtime], sample: Any, client: Callable[..., Any]
) -> None:
    runtime = make_runtime(sample.build_service, mode="production")
    stranger = client(runtime, roles=None)
    stranger.application.limits = Limits(runtime.settings, per_caller="1 per minute", per_address="1 per minute")
    system = {"Authorization": bearer(["reader"], kind="system", sub="system:gateway", username="gateway")}
    staff = {"Authorization": bearer(["reader"])}

    assert [stranger.get(BOOKS, headers=system).status_code for _ in range(3)] == [200, 200, 200]
    assert [stranger.get(BOOKS, headers=staff).status_code for _ in range(2)] == [200, 429]


def test_what_is_dearer_than_a_request_has_a_limit_of_its_own(
    make_runtime: Callable[..., Runtime], sample: Any, client: Callable[..., Any]
) -> None:
    runtime = make_runtime(sample.build_service, mode="production")
    app = client(runtime).application
    limits = Limits(runtime.settings)

    def spend(address: str) -> None:
        with app.test_request_context(environ_base={"REMOTE_ADDR": address}):
            limits.spend("2 per hour", "code")

    spend("203.0.113.9")
    spend("203.0.113.9")
    with pytest.raises(TooMany):
        spend("203.0.113.9")
    spend("203.0.113.10")
