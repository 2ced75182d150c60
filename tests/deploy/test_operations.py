"""docs/operations.md names only commands, verbs, metrics and files that exist."""

from __future__ import annotations

import re
from pathlib import Path

import click
import pytest
from prometheus_client import REGISTRY

from chassis import cli, metrics, worker
from gateway.routing import proxy
from kezhi.__main__ import main
from kezhi.installation import SERVICES, build_service
from notify.delivery import metrics as delivery

HOUSE = Path(__file__).resolve().parents[2]
TEXT = (HOUSE / "docs/operations.md").read_text(encoding="utf-8")


def test_every_metric_is_counted_somewhere() -> None:
    assert all((metrics, worker, proxy, delivery))  # whose import registers them
    known = {sample for family in REGISTRY.collect() for sample in (family.name, f"{family.name}_total")}

    named = set(re.findall(r"\b(kezhi_[a-z]+_[a-z_]+)\b", TEXT)) - {f"kezhi_{service}_owner" for service in SERVICES}

    assert len(named) > 15
    assert named <= known, named - known


def test_every_command_is_one_that_kezhi_has() -> None:
    lines = re.findall(r"(?:^    |`)kezhi ([a-z][a-z-]*)(?: ([a-z]+))?", TEXT, re.MULTILINE)

    assert {verb for verb, _ in lines} >= {"up", "resync", "dead-letters", "policy", "doctor", "status"}
    for verb, second in lines:
        command = main.commands[verb]
        if isinstance(command, click.Group):
            assert second in command.commands, f"kezhi {verb} {second}"
        elif verb == "resync":
            snapshots = {one.name for service in SERVICES for one in build_service(service).snapshots}
            assert not second or second in snapshots | {"purchases"}, f"kezhi resync {second}"


@pytest.mark.parametrize("service", SERVICES)
def test_every_verb_is_one_that_the_services_have(service: str) -> None:
    for verb in set(re.findall(rf"python -m {service} ([a-z]+)", TEXT)) - {"keys"}:
        with pytest.raises(SystemExit) as ended:
            cli.main(lambda: build_service(service), [verb, "--help"])
        assert ended.value.code == 0


def test_every_file_is_there() -> None:
    for path in re.findall(r"`((?:deploy|tests|docs)/[\w./-]+)`", TEXT):
        assert path.startswith("deploy/secrets/") or (HOUSE / path).exists(), path
