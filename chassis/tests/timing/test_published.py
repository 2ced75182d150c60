"""A published year is imported from a file: it comes into force without a release, and a wrong file says where."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from chassis.errors import Invalid
from chassis.service import Service
from chassis.timing.published import CalendarYearRow, calendar_of, import_year, read_year

SERVICE = Service("sample", "Sample", "1", Path(__file__).parents[1] / "storage" / "sample_migrations")

YAML = """\
year: 2027
holidays:
  2027-01-01: New Year's Day
  2027-02-08: 春节
workdays:
  2027-01-03: New Year's Day
"""
CSV = "date,kind,name\n2027-01-01,holiday,New Year's Day\n2027-02-08,休,春节\n2027-01-03,班,New Year's Day\n"


def test_yaml_and_csv_say_the_same(tmp_path):
    (tmp_path / "2027.yaml").write_text(YAML)
    (tmp_path / "2027.csv").write_text("\ufeff" + CSV)

    assert read_year(tmp_path / "2027.yaml").hash == read_year(tmp_path / "2027.csv").hash


def test_an_import_turns_a_provisional_deadline_exact_and_the_last_version_counts(make_runtime, tmp_path, clock):
    runtime = make_runtime(SERVICE)
    start = datetime(2026, 12, 31, 10, tzinfo=ZoneInfo("Asia/Shanghai"))
    (tmp_path / "first.yaml").write_text(YAML)
    (tmp_path / "second.csv").write_text(CSV + "2027-01-04,holiday,corrected\n")
    with runtime.context() as context:
        session, company = context.session, context.policies.in_force().company
        before = calendar_of(session, company).add_working_days(start, 1)

        import_year(session, tmp_path / "first.yaml", by="admin")
        exact = calendar_of(session, company).add_working_days(start, 1)
        clock.advance(days=1)
        import_year(session, tmp_path / "second.csv")
        corrected = calendar_of(session, company).add_working_days(start, 1)
        clock.advance(days=1)
        import_year(session, tmp_path / "first.yaml")
        back = calendar_of(session, company).add_working_days(start, 1)

    local = [due.at.astimezone(start.tzinfo).date() for due in (before, exact, corrected, back)]
    assert local == [date(2027, 1, 1), date(2027, 1, 3), date(2027, 1, 3), date(2027, 1, 3)]
    assert [before.provisional, exact.provisional] == [True, False]
    assert len({before.calendar, exact.calendar, corrected.calendar}) == 3
    assert back.calendar == exact.calendar
    with runtime.sessions() as session:
        assert session.query(CalendarYearRow).count() == 2


@pytest.mark.parametrize(
    ("name", "content", "complaint"),
    [
        ("a.yaml", "- 1", "write the keys year, holidays and workdays"),
        ("a.yaml", "holidays: [2027-01-01]", "one line per day"),
        ("a.yaml", "holidays: {soon: x}", "'soon' is no date"),
        ("a.yaml", "holidays: {2027-01-01: x}\nworkdays: {2027-01-04: x}", "2027-01-04 is a weekday"),
        ("a.yaml", "year: 2028\nholidays: {2027-01-01: x}", "year says 2028"),
        ("a.yaml", "a: [", "not YAML"),
        ("a.yaml", "workdays: {2027-01-03: x}", "names no holiday"),
        ("a.csv", "day\n2027-01-01", "date,kind,name"),
        ("a.csv", "date,kind,name\n2027-01-01,rest,x", "line 2: kind is holiday"),
        ("a.csv", "date,kind,name\n2027-13-01,holiday,x", "line 2: '2027-13-01' is no date"),
        ("a.csv", "date,kind,name\n2027-01-01,holiday,x\n2027-01-01,holiday,x", "line 3: 2027-01-01 is listed twice"),
        ("a.csv", "date,kind,name\n2027-01-01,holiday,x\n2026-05-01,holiday,x", "does not belong to 2027"),
    ],
)
def test_a_wrong_file_says_where(tmp_path, name, content, complaint):
    (tmp_path / name).write_text(content)
    with pytest.raises(Invalid, match=complaint):
        read_year(tmp_path / name)


def test_a_file_that_is_not_text_is_refused(tmp_path):
    (tmp_path / "a.csv").write_bytes("date,kind,名".encode("gbk"))
    with pytest.raises(Invalid, match="UTF-8"):
        read_year(tmp_path / "a.csv")
