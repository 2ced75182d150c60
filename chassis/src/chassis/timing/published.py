"""Published years: read from a file, kept in the database, laid over those the software brought along (decision 21).

Importing a year makes deadlines over it exact without a release. A corrected file for the same year is a new version
of it; the one imported last is in force, the others stay for the record.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from sqlalchemy import select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Mapped, Session, mapped_column

from chassis.errors import Invalid
from chassis.storage.schema import ChassisBase
from chassis.timing.calendar import PublishedYear, WorkingCalendar

if TYPE_CHECKING:
    from chassis.policies.company import Company

LARGEST_FILE = 1 << 20
KINDS = {"holiday": "holidays", "休": "holidays", "workday": "workdays", "班": "workdays"}


class CalendarYearRow(ChassisBase):
    """One version of one year. ``holidays`` and ``workdays`` map ISO dates to the occasion."""

    __tablename__ = "calendar_year"

    year: Mapped[int] = mapped_column(primary_key=True)
    hash: Mapped[str] = mapped_column(primary_key=True)
    holidays: Mapped[dict[str, Any]]
    workdays: Mapped[dict[str, Any]]
    imported_at: Mapped[datetime]
    imported_by: Mapped[str | None]


IN_ORDER = (CalendarYearRow.imported_at, CalendarYearRow.hash)  # the last version of a year is the one in force


def import_year(session: Session, file: Path, by: str | None = None) -> PublishedYear:
    """Read a YAML or CSV file and put its year in force. Raises Invalid naming the line or key that is wrong."""
    year = read_year(file)
    put_in_force(session, year, by)
    return year


def put_in_force(session: Session, year: PublishedYear, by: str | None = None) -> None:
    """Keep a year as its last version; the same days again are the same version."""
    values = {
        "holidays": {day.isoformat(): name for day, name in year.holidays.items()},
        "workdays": {day.isoformat(): name for day, name in year.workdays.items()},
        "imported_at": session.info["clock"].now(),
        "imported_by": by,
    }
    statement = insert(CalendarYearRow).values(year=year.year, hash=year.hash, **values)
    again = {"imported_at": values["imported_at"], "imported_by": by}
    session.execute(statement.on_conflict_do_update(index_elements=["year", "hash"], set_=again))


def imported_years(session: Session) -> dict[int, PublishedYear]:
    """The years that were imported here, each in its last version."""
    rows = session.scalars(select(CalendarYearRow).order_by(*IN_ORDER))
    return {row.year: PublishedYear(row.year, _dates(row.holidays), _dates(row.workdays)) for row in rows}


def calendar_of(session: Session, company: Company) -> WorkingCalendar:
    """The company's calendar over everything published so far."""
    return WorkingCalendar.from_published(imported_years(session), company)


def read_year(file: Path) -> PublishedYear:
    """YAML: ``year``, ``holidays`` and ``workdays`` (date: occasion). CSV: ``date,kind,name`` (休/班 or words)."""
    if file.stat().st_size > LARGEST_FILE:
        raise Invalid(f"{file.name}: a calendar year is no larger than 1 MiB")
    try:
        text = file.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise Invalid(f"{file.name}: save the file as UTF-8") from None
    rows = list(_csv_rows(file.name, text) if file.suffix.lower() == ".csv" else _yaml_rows(file.name, text))
    return _checked(file.name, rows)


def year_of(content: object, name: str = "calendar") -> PublishedYear:
    """The year that a mapping tells as a YAML file does. Raises Invalid naming the key that is wrong."""
    return _checked(name, list(_rows_of(name, content)))


Row = tuple[str, str, date, str]  # where in the file, "holidays" or "workdays", the day, the occasion


def _yaml_rows(name: str, text: str) -> Iterator[Row]:
    try:
        content = yaml.safe_load(text)
    except yaml.YAMLError as wrong:
        raise Invalid(f"{name}: not YAML: {' '.join(str(wrong).split())}") from None
    yield from _rows_of(name, content)


def _rows_of(name: str, content: object) -> Iterator[Row]:
    if not isinstance(content, dict) or not set(content) <= {"year", "holidays", "workdays"}:
        raise Invalid(f"{name}: write the keys year, holidays and workdays, and no others")
    if content.get("year") is not None:
        latest = max((day for kind in ("holidays", "workdays") for day in content.get(kind) or {}), key=str, default="")
        if not str(latest).startswith(f"{content['year']}-"):
            raise Invalid(f"{name}: year says {content['year']}, the days end with {latest}")
    for kind in ("holidays", "workdays"):
        days = content.get(kind) or {}
        if not isinstance(days, dict):
            raise Invalid(f"{name}: {kind} is a mapping, one line per day: 2027-01-01: New Year's Day")
        for day, occasion in days.items():
            yield f"{kind}.{day}", kind, _day(name, f"{kind}.{day}", day), str(occasion or "")


def _csv_rows(name: str, text: str) -> Iterator[Row]:
    reader = csv.DictReader(io.StringIO(text))
    if not {"date", "kind"} <= set(reader.fieldnames or ()):
        raise Invalid(f"{name}: the first line names the columns: date,kind,name")
    for row in reader:
        where = f"line {reader.line_num}"
        kind = KINDS.get((row["kind"] or "").strip().lower())
        if kind is None:
            raise Invalid(f"{name}, {where}: kind is holiday (休) or workday (班), not {row['kind']!r}")
        yield where, kind, _day(name, where, (row["date"] or "").strip()), (row.get("name") or "").strip()


def _day(name: str, where: str, value: object) -> date:
    if isinstance(value, date) and not isinstance(value, datetime):
        return value
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise Invalid(f"{name}, {where}: {value!r} is no date; write e.g. 2027-01-01") from None


def _checked(name: str, rows: list[Row]) -> PublishedYear:
    found: dict[str, dict[date, str]] = {"holidays": {}, "workdays": {}}
    seen: set[date] = set()
    if not any(kind == "holidays" for _, kind, _, _ in rows):
        raise Invalid(f"{name}: names no holiday")
    year = max(day.year for _, _, day, _ in rows)
    earliest = date(year, 1, 1) - timedelta(days=31)
    for where, kind, day, occasion in rows:
        if day in seen:
            raise Invalid(f"{name}, {where}: {day} is listed twice")
        if day < earliest:
            raise Invalid(f"{name}, {where}: {day} does not belong to {year}; one file holds one year")
        if kind == "workdays" and day.weekday() < 5:
            raise Invalid(f"{name}, {where}: {day} is a weekday; a make-up workday falls on a weekend")
        seen.add(day)
        found[kind][day] = occasion
    return PublishedYear(year, found["holidays"], found["workdays"])


def _dates(days: Mapping[str, Any]) -> dict[date, str]:
    return {date.fromisoformat(day): str(name) for day, name in days.items()}
