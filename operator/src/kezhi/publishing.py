"""``kezhi publish``: purchase events from a file to the broker, confirmed, with progress, resumable.

A row counts as published when the broker confirmed it. How far a file got is kept in the home, so that a run that
was cut off goes on where it stood; what the cut made ambiguous is sent again and absorbed by the inboxes, because
the same row always makes the same event id.
"""

from __future__ import annotations

import csv
import hashlib
import json
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from itertools import islice
from pathlib import Path
from typing import IO, Any

import click
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from chassis.messaging.names import BrokerNames
from kezhi.home import Configuration, Home
from kezhi.outlet import open_outlet
from kezhi_contracts.validation import validate

CHUNK = 500
FIELDS = {
    "purchase_id",
    "customer",
    "occurred_at",
    "currency",
    "total",
    "store",
    "channel",
    "seller",
    "payment",
}
DATE_FORMATS = ("%Y%m%d", "%Y-%m-%d", "%Y/%m/%d")


@dataclass(frozen=True)
class Mapping:
    """How one CSV row becomes one purchase: a template per field, filled from the row's columns and ``{row}``."""

    source: str
    templates: dict[str, str]
    shift: timedelta

    @classmethod
    def parse(cls, source: str, settings: Sequence[str]) -> Mapping:
        """Read ``--set FIELD=TEMPLATE`` options; without any, columns are named like the fields."""
        templates = {}
        for setting in settings:
            name, separator, template = setting.partition("=")
            if not separator or name not in FIELDS:
                raise click.UsageError(
                    f"--set {setting}: write FIELD=TEMPLATE with FIELD one of {', '.join(sorted(FIELDS))}"
                )
            templates[name] = template
        return cls(source, templates, timedelta(0))

    def event(self, row: dict[str, str], number: int) -> dict[str, Any]:
        """The CloudEvent of data row ``number`` (from 1). Raises ClickException naming row and column."""
        values = row | {"row": str(number)}
        filled = {name: row[name] for name in FIELDS if row.get(name)}
        for name, template in self.templates.items():
            try:
                filled[name] = template.format_map(values)
            except KeyError as missing:
                raise click.ClickException(
                    f"--set {name}: there is no column {missing}; the file has {', '.join(row)}"
                ) from None
        for name in ("purchase_id", "customer", "occurred_at", "total"):
            if name not in filled:
                raise click.ClickException(f"row {number}: no {name}; name its column with --set {name}={{column}}")
        occurred_at = (read_moment(filled["occurred_at"], number) + self.shift).isoformat()
        data = {
            "purchase_id": filled["purchase_id"],
            "customer": {"identity": filled["customer"]},
            "occurred_at": occurred_at,
            "currency": filled.get("currency", "CNY"),
            "total": filled["total"],
            "lines": [],
        }
        data |= {name: filled[name] for name in ("store", "channel", "seller", "payment") if name in filled}
        return {
            "specversion": "1.0",
            "type": "purchase.completed.v1",
            "source": self.source,
            "id": filled["purchase_id"],
            "time": occurred_at,
            "subject": filled["customer"],
            "partitionkey": filled["customer"],
            "datacontenttype": "application/json",
            "data": data,
        }


def read_moment(text: str, number: int) -> datetime:
    """A day (noon UTC, so that it is the same day from London to Shanghai) or an RFC 3339 instant."""
    for pattern in DATE_FORMATS:
        try:
            return datetime.strptime(text, pattern).replace(hour=12, tzinfo=UTC)
        except ValueError:
            continue
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        raise click.ClickException(f"row {number}: {text!r} is no date (YYYY-MM-DD) and no RFC 3339 instant") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def read_day(text: str) -> date:
    """``yesterday`` or YYYY-MM-DD."""
    if text == "yesterday":
        return datetime.now(UTC).date() - timedelta(days=1)
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise click.UsageError(f"--last-day {text}: write YYYY-MM-DD or 'yesterday'") from None


def shifted(mapping: Mapping, path: Path, last_day: str) -> Mapping:
    """The mapping whose dates end on ``last_day``: one more pass over the file finds its own last day."""
    with path.open(newline="", encoding="utf-8-sig") as handle:
        newest = max(
            datetime.fromisoformat(mapping.event(row, number)["data"]["occurred_at"]).date()
            for number, row in enumerate(csv.DictReader(handle), 1)
        )
    return Mapping(mapping.source, mapping.templates, timedelta(days=(read_day(last_day) - newest).days))


def read_events(handle: IO[str], name: str, mapping: Mapping) -> Iterator[dict[str, Any]]:
    """Events of a file, one by one: CSV by its name, else JSON Lines or one JSON list."""
    if name.endswith(".csv"):
        for number, row in enumerate(csv.DictReader(handle), 1):
            yield mapping.event(row, number)
        return
    first = handle.readline()
    if first.lstrip().startswith("["):
        yield from json.loads(first + handle.read())
        return
    for number, line in enumerate(_chain(first, handle), 1):
        if not line.strip():
            continue
        try:
            yield json.loads(line)
        except json.JSONDecodeError as wrong:
            raise click.ClickException(f"line {number} is not JSON: {wrong}") from None


def _chain(first: str, handle: IO[str]) -> Iterator[str]:
    yield first
    yield from handle


@dataclass(frozen=True)
class Journal:
    """How many events of one file were confirmed. Kept in the installation's home, so that `reset` forgets it too."""

    path: Path

    def confirmed(self) -> int:
        """Confirmed so far."""
        try:
            return int(json.loads(self.path.read_text())["confirmed"])
        except (FileNotFoundError, json.JSONDecodeError):
            return 0

    def keep(self, confirmed: int) -> None:
        """Written beside and renamed: a crash leaves the old count or the new one."""
        self.path.parent.mkdir(exist_ok=True)
        draft = self.path.with_suffix(".draft")
        draft.write_text(json.dumps({"confirmed": confirmed}))
        draft.replace(self.path)


def publish_file(
    home: Home,
    configuration: Configuration,
    path: Path,
    *,
    source: str,
    columns: Sequence[str],
    last_day: str | None,
    restart: bool,
) -> tuple[int, int]:
    """Publish a file and say so; answers (published, refused). Refused rows are named and left out."""
    mapping = Mapping.parse(source, columns)
    exchange = BrokerNames(configuration.instance).exchange("purchases")
    if str(path) == "-":
        return _publish(read_events(sys.stdin, "-", mapping), None, exchange, configuration.amqp_url, None)
    if not path.is_file():
        raise click.ClickException(f"{path}: no such file")
    if last_day:
        mapping = shifted(mapping, path, last_day)
    fingerprint = hashlib.sha256(path.read_bytes() + repr(mapping).encode() + exchange.encode()).hexdigest()
    home.create()
    journal = Journal(home.path / "published" / f"{fingerprint}.json")
    if restart:
        journal.path.unlink(missing_ok=True)
    with path.open(newline="", encoding="utf-8-sig") as handle:
        return _publish(
            read_events(handle, path.name, mapping), _count(path), exchange, configuration.amqp_url, journal
        )


def _count(path: Path) -> int | None:
    if path.suffix == ".csv":
        with path.open(newline="", encoding="utf-8-sig") as handle:
            return sum(1 for _ in csv.reader(handle)) - 1
    with path.open(encoding="utf-8") as handle:
        first = handle.readline()
        return None if first.lstrip().startswith("[") else sum(1 for line in handle if line.strip()) + 1


def _publish(
    events: Iterator[dict[str, Any]], total: int | None, exchange: str, amqp_url: str, journal: Journal | None
) -> tuple[int, int]:
    done = journal.confirmed() if journal else 0
    if done:
        click.echo(f"going on after {done:,} already confirmed (--restart begins again)")
        next(islice(events, done - 1, done), None)
    published = refused = 0
    columns = (TextColumn("publishing"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    # Checked here, row by row, so that a refusal names its row; the outlet need not look again.
    with (
        open_outlet(amqp_url, exchange, check=False) as outlet,
        Progress(*columns, transient=True) as progress,
    ):
        task = progress.add_task("", total=total, completed=done)
        while chunk := list(islice(events, CHUNK)):
            for offset, event in enumerate(chunk, done + 1):
                if problems := validate(event):
                    refused += 1
                    where, messages = next(iter(problems.items()))
                    progress.console.print(f"refused: event {offset} ({event.get('id')}): {where}: {messages[0]}")
                else:
                    outlet.publish(event)
                    published += 1
            outlet.flush()
            done += len(chunk)
            if journal:
                journal.keep(done)
            progress.update(task, completed=done)
    click.echo(f"{published:,} published and confirmed, {refused:,} refused")
    return published, refused
