"""An installation's data: look into it, save it, bring it back, remove it."""

from __future__ import annotations

import os
from pathlib import Path

import click

from kezhi.commands.options import amqp_option, configured, home_option, instance_option, located, pg_option


@click.command()
@click.argument("service")
@click.argument("arguments", nargs=-1)
@home_option
@instance_option
def psql(service: str, arguments: tuple[str, ...], home: Path | None, instance: str) -> None:
    """Look into SERVICE's database with the psql that came with Kezhi; ARGUMENTS after `--` are psql's."""
    from kezhi.engine import programs, tools  # noqa: PLC0415
    from kezhi.installation import SERVICES, Installation  # noqa: PLC0415

    if service not in SERVICES:
        raise click.UsageError(f"{service}: there are {', '.join(SERVICES)}")
    place = located(home, instance)
    if place.configuration() is None:
        raise click.ClickException(f"no installation in {place.path}; start one with `kezhi up`")
    installation = Installation(*configured(home, instance, None, None, None))
    try:
        command, environment = tools.told(programs.newest(), "psql", installation.database_url(service), *arguments)
    except programs.NoPrograms as missing:
        raise click.ClickException(str(missing)) from None
    os.execve(command[0], command, environment)  # noqa: S606 - PostgreSQL's own program, no shell


@click.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@amqp_option
@pg_option
@home_option
@instance_option
def backup(amqp: str | None, pg: str | None, home: Path | None, instance: str, file: Path) -> None:
    """Save the whole installation into FILE, as of one instant, while it runs or when it is down."""
    from kezhi.backup.save import backup as run  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, None, running=False)
    run(place, configuration, file)


@click.command()
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@amqp_option
@pg_option
@home_option
@instance_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the gateway [8080].")
@click.option("--replace", "replacing", is_flag=True, help="Throw away what is there.")
def restore(
    file: Path, amqp: str | None, pg: str | None, home: Path | None, instance: str, port: int | None, replacing: bool
) -> None:
    """Make an installation from FILE: here or elsewhere, on the embedded engine or on given servers."""
    from kezhi.backup.restore import restore as run  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, port, running=False)
    run(place, configuration, file, replacing)


@click.command()
@amqp_option
@pg_option
@home_option
@instance_option
@click.option("--yes", is_flag=True, help="Really remove it.")
def reset(amqp: str | None, pg: str | None, home: Path | None, instance: str, yes: bool) -> None:
    """Remove an installation: its databases, roles, queues, exchanges and home."""
    from kezhi.reset import reset as run  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, None, running=False)
    run(place, configuration, yes)
