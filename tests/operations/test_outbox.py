"""``kezhi outbox``: what the broker would not take is shown with its error, and lives again when told to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from sqlalchemy import text

from chassis.runtime import Runtime
from kezhi import outbox
from kezhi.__main__ import main
from kezhi.installation import build_service

PLACE: Any = (None, None)


@pytest.fixture
def loyalty(make_runtime: Any, monkeypatch: pytest.MonkeyPatch) -> Runtime:
    """An installation of one service, two of whose three events were given up."""
    runtime: Runtime = make_runtime(build_service("loyalty"))
    with runtime.context() as context:
        context.session.execute(
            text(
                "INSERT INTO chassis.outbox (partition, event_id, type, family, routing_key, partitionkey, body,"
                " created_at, status, attempts, error)"
                " SELECT 0, n, 'tier.changed.v1', 'events', 'tier.changed.v1', 'c-' || n, '', now(),"
                " CASE n WHEN 3 THEN 'pending' ELSE 'failed' END, 12, 'returned: NO_ROUTE'"
                " FROM generate_series(1, 3) AS n"
            )
        )
    monkeypatch.setattr(outbox, "_runtimes", lambda _place, _service: [runtime])
    monkeypatch.setattr(outbox, "Installation", lambda *_: None)
    return runtime


def failed(runtime: Runtime) -> list[int]:
    with runtime.sessions() as session:
        return list(session.scalars(text("SELECT id FROM chassis.outbox WHERE status = 'failed' ORDER BY id")))


def test_what_was_given_up_is_listed_with_its_error(loyalty: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    outbox.list_failed(PLACE, None)

    said = capsys.readouterr().out
    assert ("c-1" in said, "c-2" in said, "c-3" in said, "NO_ROUTE" in said) == (True, True, False, True)


def test_named_ones_or_all_are_revived(loyalty: Runtime, capsys: pytest.CaptureFixture[str]) -> None:
    first, second = failed(loyalty)

    outbox.revive(PLACE, "loyalty", [first], False)
    assert failed(loyalty) == [second]
    with pytest.raises(click.ClickException, match="1 of 2 revived; the others are not among the failed ones"):
        outbox.revive(PLACE, "loyalty", [first, second], False)
    outbox.revive(PLACE, None, [], True)

    assert failed(loyalty) == []
    assert "0 revived" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["revive"], "name events, or say --all"),
        (["revive", "7"], "say which with --service"),
        (["revive", "--all", "--service", "lojalty"], "there are customer, complaint"),
    ],
)
def test_told_too_little_it_says_what_is_missing(arguments: list[str], said: str, tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text('{"instance": "", "port": 8080, "pg_url": "x://", "amqp_url": "x://"}')

    outcome = CliRunner().invoke(main, ["outbox", *arguments, "--home", str(tmp_path)])

    assert (outcome.exit_code, said in outcome.output) == (2, True), outcome.output
