"""``kezhi opening-balances import``: what members had before, in one command."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from kezhi.__main__ import main
from kezhi.home import Configuration, Home
from kezhi.installation import Installation, build_service
from kezhi_contracts import schemas


@pytest.fixture
def loyalty(make_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A loyalty service with one member, card:8801, found by the command."""
    runtime = make_runtime(lambda: build_service("loyalty"))
    monkeypatch.setattr(Installation, "runtime", lambda self, name: runtime)
    event = schemas.example("customer.registered.v1")
    event["data"] |= {
        "customer_id": str(uuid.uuid4()),
        "identities": [{"scheme": "card", "value": "8801"}],
        "flags": [],
    }
    assert deliver(runtime, "customers", [event]) == ["accepted"]
    return runtime


def run(home: Path, *arguments: str) -> Result:
    place = Home.locate(home / "home", "")
    place.create()
    place.remember(Configuration("", "amqp://nowhere", "postgresql://nowhere", 8080))
    return CliRunner().invoke(main, ["opening-balances", "import", *arguments, "--home", str(place.path)])


def test_balances_are_taken_over_in_one_command_and_twice_is_once(loyalty: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("customer,points\ncard:8801,120\n")

    first = run(tmp_path, str(file), "--source", "crm", "--points", "120")
    again = run(tmp_path, str(file), "--source", "crm", "--points", "120")

    assert first.exit_code == again.exit_code == 0, first.output + again.output
    assert "120 points and 0 growth value of 1 members in 1 lines" in first.output
    assert "1 lines had been taken over before" in again.output


def test_what_is_refused_is_said_line_by_line(loyalty: Runtime, tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("customer,points\ncard:8801,120\ncard:8802,12\n")

    outcome = run(tmp_path, str(file), "--source", "crm", "--points", "132")

    assert outcome.exit_code == 1
    assert "line 3.customer: nobody is known as card:8802: register them first" in outcome.output
