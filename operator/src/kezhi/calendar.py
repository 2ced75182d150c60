"""``kezhi calendar``: a year that an authority has published comes into force without a release (decision 21)."""

from __future__ import annotations

import getpass
from pathlib import Path

import click

from chassis import jobs
from chassis.errors import Refusal
from chassis.timing.published import import_year, read_year
from complaint.clocks.recomputing import JOB
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation


def import_calendar(place: tuple[Home, Configuration], file: Path) -> None:
    """Put the year of a file in force in every service; provisional clocks are computed again by the workers.

    The file is read whole before anything is changed. Importing it twice changes nothing.
    """
    try:
        year = read_year(file)
    except Refusal as refused:
        raise click.ClickException(refused.detail) from None
    except OSError as unreadable:
        raise click.ClickException(f"{file}: {unreadable.strerror}") from None
    installation, who = Installation(*place), f"shell:{getpass.getuser()}"
    for name in SERVICES:
        runtime = installation.runtime(name)
        try:
            with runtime.context() as context:
                import_year(context.session, file, who)
                if f"job:{JOB}" in runtime.service.due:
                    jobs.start(context.session, context.clock, JOB, {"year": year.year})
        finally:
            runtime.engine.dispose()
    days = f"{len(year.holidays)} days off, {len(year.workdays)} make-up workdays"
    click.echo(f"{year.year}: {days}; in force in {', '.join(SERVICES)}")
    click.echo("provisional clocks are computed again by complaint's worker")
