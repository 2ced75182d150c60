"""What a child process of `kezhi up` is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation

PORTS = {name: 9000 + place for place, name in enumerate(SERVICES)}


@pytest.fixture
def installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Installation:
    for name in ("KEZHI_MODE", "KEZHI_PUBLIC_URL", "KEZHI_OUTGOING_DIR"):
        monkeypatch.delenv(name, raising=False)
    home = Home(tmp_path / "home")
    home.create()
    return Installation(home, Configuration("t", "amqp://127.0.0.1//", "postgresql://127.0.0.1/postgres", 9004))


def test_messages_without_a_provider_become_files_of_the_installation(installation: Installation) -> None:
    told = installation.environment("notify", PORTS)

    assert told["KEZHI_OUTGOING_DIR"] == str(installation.home.path / "outgoing")
    assert told["KEZHI_PUBLIC_URL"] == f"http://127.0.0.1:{PORTS['gateway']}"


def test_what_the_operator_says_comes_first(installation: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KEZHI_PUBLIC_URL", "https://care.example.cn")
    monkeypatch.setenv("KEZHI_MODE", "production")

    told = installation.environment("notify", PORTS)

    assert told["KEZHI_PUBLIC_URL"] == "https://care.example.cn"
    assert "KEZHI_OUTGOING_DIR" not in told
