"""``kezhi policy simulate``: a pack is tried on the living in one command, and nothing is kept of it."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from sqlalchemy import text

from chassis.messaging.testing import deliver
from chassis.runtime import Runtime
from kezhi.__main__ import main
from kezhi.home import Configuration, Home
from kezhi.installation import Installation, build_service
from kezhi_contracts import schemas

CHEAPER_GOLD = """\
tiers:
  clause: CG-22
  measure: growth
  window: 365 days
  rises: at once
  kept_for: 365 days
  falls: at period end
  notice: 30 days
  levels:
    - {tier: ordinary}
    - {tier: gold, at: 500 growth, bonus: 15%}
"""


@pytest.fixture
def loyalty(make_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """A loyalty service with one member who bought for 600 and for 100, found by the command."""
    runtime = make_runtime(lambda: build_service("loyalty"))
    monkeypatch.setattr(Installation, "runtime", lambda self, name: runtime)
    customer = str(uuid.uuid4())
    event = schemas.example("customer.registered.v1")
    event["data"] |= {"customer_id": customer, "code": "SH-1", "birthday": None, "flags": []}
    assert deliver(runtime, "customers", [event]) == ["accepted"]
    for place, total in enumerate(("600.00", "100.00")):
        purchase = schemas.example("purchase.completed.v1")
        at = runtime.clock.now() - timedelta(days=60 - place)
        facts = {"purchase_id": f"P{place}", "customer": {"id": customer}, "occurred_at": at.isoformat()}
        purchase |= {"id": f"e{place}", "data": {**purchase["data"], **facts, "total": total, "lines": []}}
        assert deliver(runtime, "purchases", [purchase]) == ["accepted"]
    return runtime


@pytest.fixture
def pack(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A pack of one's own over the default one."""
    folder = tmp_path / "ours"
    folder.mkdir()
    default = (request.config.rootpath / "policies" / "consumer-goods" / "pack.yaml").read_text()
    head = default[default.index("title:") : default.index("company:")]
    (folder / "pack.yaml").write_text(f"pack: ours\nextends: consumer-goods\n{head}")
    (folder / "loyalty.yaml").write_text(CHEAPER_GOLD)
    return folder


def run(home: Path, folder: Path) -> Result:
    place = Home.locate(home / "home", "")
    place.create()
    place.remember(Configuration("", "amqp://nowhere", "postgresql://nowhere", 8080))
    return CliRunner().invoke(main, ["policy", "simulate", str(folder), "--home", str(place.path)])


@pytest.mark.rule("CG-22")
def test_a_pack_is_tried_and_nothing_is_kept(loyalty: Runtime, pack: Path, tmp_path: Path) -> None:
    outcome = run(tmp_path, pack)

    assert outcome.exit_code == 0, outcome.output
    assert "points 700 → 715 (+15)" in outcome.output
    assert "ordinary → gold: 1" in outcome.output
    assert "SH-1: +15 points, ordinary → gold" in outcome.output
    with loyalty.sessions() as session:
        assert session.scalar(text("SELECT count(*) FROM chassis.policy_version")) == 1


def test_a_pack_that_cannot_be_read_is_refused_with_its_line(loyalty: Runtime, pack: Path, tmp_path: Path) -> None:
    (pack / "loyalty.yaml").write_text(CHEAPER_GOLD.replace("measure: growth", "measure: mood"))

    outcome = run(tmp_path, pack)

    assert outcome.exit_code == 1
    assert "ours/loyalty.yaml:3" in outcome.output
