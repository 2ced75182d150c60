"""``kezhi calendar import``: one file, every service; the provisional deadlines become exact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import CliRunner, Result

from chassis.runtime import Runtime
from chassis.timing.calendar import WorkingCalendar
from chassis.timing.due import DuePoller
from chassis.timing.published import calendar_of, imported_years
from kezhi.__main__ import main
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service

YEAR = """\
date,kind,name
2027-01-01,休,元旦
2027-01-03,班,元旦
2027-01-04,休,元旦
"""


@pytest.fixture
def company(make_runtime: Callable[..., Runtime], monkeypatch: pytest.MonkeyPatch) -> dict[str, Runtime]:
    """Every service of an installation, each with its database."""
    runtimes = {name: make_runtime(lambda name=name: build_service(name)) for name in SERVICES}
    monkeypatch.setattr(Installation, "runtime", lambda self, name: runtimes[name])
    return runtimes


def run(home: Path, *arguments: str) -> Result:
    place = Home.locate(home / "home", "")
    place.create()
    place.remember(Configuration("", "amqp://nowhere", "postgresql://nowhere", 8080))
    return CliRunner().invoke(main, [*arguments, "--home", str(place.path)])


def calendar(runtime: Runtime) -> WorkingCalendar:
    with runtime.sessions() as session:
        return calendar_of(session, runtime.policies.in_force().company)


def test_a_published_year_is_in_force_in_every_service(company: dict[str, Runtime], tmp_path: Path) -> None:
    file = tmp_path / "2027.csv"
    file.write_text(YEAR)
    start = datetime(2026, 12, 31, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert calendar(company["complaint"]).add_working_days(start, 3).provisional

    for _ in range(2):  # twice is once
        outcome = run(tmp_path, "calendar", "import", str(file))
        assert outcome.exit_code == 0, outcome.output
        assert "2027: 2 days off, 1 make-up workdays; in force in customer, complaint" in outcome.output

    for name, runtime in company.items():
        with runtime.sessions() as session:
            assert list(imported_years(session)) == [2027], name
    exact = calendar(company["complaint"]).add_working_days(start, 3)
    assert exact.at == datetime(2027, 1, 6, 15, tzinfo=ZoneInfo("Asia/Shanghai"))
    assert not exact.provisional
    assert DuePoller(company["complaint"]).drain() >= 1  # the job that computes clocks again


def test_a_wrong_file_changes_nothing_and_says_where(company: dict[str, Runtime], tmp_path: Path) -> None:
    file = tmp_path / "2027.csv"
    file.write_text(YEAR + "2027-01-05,班,a Tuesday\n")

    outcome = run(tmp_path, "calendar", "import", str(file))

    assert outcome.exit_code == 1
    assert "2027.csv, line 5: 2027-01-05 is a weekday" in outcome.output
    with company["complaint"].sessions() as session:
        assert imported_years(session) == {}
