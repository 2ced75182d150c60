"""Fixtures of the cross-service tests."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from chassis.clock import FakeClock
from chassis.runtime import Runtime
from kezhi.installation import build_service
from tests.house import House, build_house
from tests.pair import Pair
from tests.town import Town


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, amqp_url: str, pg_url: str) -> Iterator[House]:
    """An installation for the tests of one module; nothing of it is left afterwards."""
    made = build_house(tmp_path_factory.mktemp("house") / "客 至", amqp_url, pg_url)
    with made.lasting():
        made.up()
        yield made


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory, amqp_url: str, pg_url: str) -> Iterator[Town]:
    """An installation with a company in it, its clock at Friday 2026-02-13 17:40 in Shanghai."""
    made = Town(build_house(tmp_path_factory.mktemp("town") / "客 至", amqp_url, pg_url))
    with made.house.lasting():
        made.open()
        yield made


@pytest.fixture
def pair(make_runtime: Callable[..., Runtime], clock: FakeClock, client: Any, recorded: Any) -> Pair:
    """The customer and the loyalty service on databases of their own, under one instance name and one clock."""
    customer, loyalty = (make_runtime(build_service(name)) for name in ("customer", "loyalty"))
    return Pair(customer, loyalty, clock, client, recorded)
