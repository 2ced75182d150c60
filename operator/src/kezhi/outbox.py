"""``kezhi outbox``: events that the broker would not take and that the relay gave up. They wait for somebody to mend
the cause and revive them; nothing of them is ever dropped.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click
from rich.console import Console
from rich.table import Table
from sqlalchemy import select

from chassis.messaging import outbox
from chassis.messaging.outbox import OutboxRow
from chassis.runtime import Runtime
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation

Place = tuple[Home, Configuration]
SHOWN = 200


def list_failed(place: Place, service: str | None) -> None:
    """A line per event that was given up, oldest first."""
    table = Table("service", "id", "written", "event", "about", "error")
    for runtime in _runtimes(Installation(*place), service):
        failed = select(OutboxRow).where(OutboxRow.status == "failed").order_by(OutboxRow.id).limit(SHOWN)
        with runtime.sessions() as session:
            for row in session.scalars(failed):
                written = f"{row.created_at:%Y-%m-%d %H:%M:%S}"
                table.add_row(runtime.service.name, str(row.id), written, row.type, row.partitionkey, row.error or "-")
    if table.row_count:
        Console().print(table)
    else:
        click.echo("every event was published, or waits for its turn")


def revive(place: Place, service: str | None, ids: Sequence[int], everything: bool) -> None:
    """Publish again: the named ones of a service, or all (of all services, where none is named)."""
    if bool(ids) == everything:
        raise click.UsageError("name events, or say --all")
    if ids and service is None:
        raise click.UsageError("ids are a service's own: say which with --service")
    total = 0
    for runtime in _runtimes(Installation(*place), service):
        with runtime.context() as context:
            total += outbox.revive(context.session, None if everything else ids)
    if total < len(ids):
        raise click.ClickException(f"{total:,} of {len(ids):,} revived; the others are not among the failed ones")
    click.echo(f"{total:,} revived")


def _runtimes(installation: Installation, service: str | None) -> Iterator[Runtime]:
    if service is not None and service not in SERVICES:
        raise click.UsageError(f"--service {service}: there are {', '.join(SERVICES)}")
    for name in [service] if service else SERVICES:
        runtime = installation.runtime(name)
        yield runtime
        runtime.engine.dispose()
