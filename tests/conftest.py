"""Fixtures of the cross-service tests."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chassis.clock import FakeClock
from chassis.runtime import Runtime
from chassis.testkit import engine
from kezhi.installation import build_service
from tests.house import House, build_house
from tests.pair import Pair
from tests.town import Town

Servers = tuple[str | None, str | None]  # RabbitMQ, PostgreSQL; None: what is embedded in its place


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Houses stand on the servers of the run; in the long form those of ``both_engines`` once more without any."""
    if "stands_on" in metafunc.fixturenames:
        replaced = engine.embedded()
        both = metafunc.definition.get_closest_marker("both_engines") is not None and len(replaced) < 2
        both = both and bool(os.environ.get("KEZHI_LONG"))
        grounds = ["servers", "nothing"] if both else ["nothing" if len(replaced) == 2 else "servers"]
        metafunc.parametrize("stands_on", grounds, scope="module")


@pytest.fixture(scope="session")
def servers(amqp_url: str, pg_url: str) -> Servers:
    """The real servers of this run, as `kezhi up` is told of them."""
    replaced = engine.embedded()
    return None if engine.BROKER in replaced else amqp_url, None if engine.DATABASE in replaced else pg_url


@pytest.fixture(scope="session")
def outside(servers: Servers, pg_url: str) -> Servers:
    """For an installation whose database must go on while its supervisor does not: never a PostgreSQL of its own."""
    return servers[0], pg_url


@pytest.fixture(scope="module")
def built_on(stands_on: str, request: pytest.FixtureRequest) -> Servers:
    """What a house is built on; a machine without servers needs none for a house on nothing."""
    return (None, None) if stands_on == "nothing" else request.getfixturevalue("servers")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, built_on: Servers) -> Iterator[House]:
    """An installation for the tests of one module; nothing of it is left afterwards."""
    made = build_house(tmp_path_factory.mktemp("house") / "客 至", *built_on)
    with made.lasting():
        made.up()
        yield made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, built_on: Servers) -> Iterator[Town]:
    """An installation with a company in it, its clock at Friday 2026-02-13 17:40 in Shanghai."""
    made = Town(build_house(tmp_path_factory.mktemp("town") / "客 至", *built_on))
    with made.house.lasting():
        made.open()
        yield made


@pytest.fixture
def pair(make_runtime: Callable[..., Runtime], clock: FakeClock, client: Any, recorded: Any) -> Pair:
    """The customer and the loyalty service on databases of their own, under one instance name and one clock."""
    customer, loyalty = (make_runtime(build_service(name)) for name in ("customer", "loyalty"))
    return Pair(customer, loyalty, clock, client, recorded)


@pytest.fixture
def pair_under(
    request: pytest.FixtureRequest,
    make_runtime: Callable[..., Runtime],
    clock: FakeClock,
    client: Any,
    recorded: Any,
) -> Callable[[str], Pair]:
    """``pair_under("hotel")``: the same two services, governed by that pack of ours."""

    def make(pack: str) -> Pair:
        folder = request.config.rootpath / "policies" / pack
        customer, loyalty = (make_runtime(build_service(name), pack=folder) for name in ("customer", "loyalty"))
        return Pair(customer, loyalty, clock, client, recorded)

    return make
