"""Fixtures of the cross-service tests."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.house import House, build_house


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory, amqp_url: str, pg_url: str) -> Iterator[House]:
    """An installation for the tests of one module; nothing of it is left afterwards."""
    made = build_house(tmp_path_factory.mktemp("house") / "客 至", amqp_url, pg_url)
    made.up()
    yield made
    made.down()
    gone = made.command("reset", "--yes")
    assert gone.returncode == 0, gone.stderr
