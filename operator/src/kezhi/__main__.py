"""The command line: running an installation here, everything else in ``commands``."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kezhi.commands import letters, rules, upkeep
from kezhi.commands.options import amqp_option, configured, home_option, instance_option, located, pg_option


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Kezhi (客至): a company's written customer regulation, executable."""


@main.command()
@amqp_option
@pg_option
@home_option
@instance_option
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the gateway [8080].")
@click.option(
    "--policy",
    type=click.Path(path_type=Path, exists=True, file_okay=False),
    help="Pack of a new installation.",
)
def up(
    amqp: str | None, pg: str | None, home: Path | None, instance: str, port: int | None, policy: Path | None
) -> None:
    """Run every service; ends with SIGTERM or Ctrl-C."""
    from kezhi.up import up as run  # noqa: PLC0415 - each command pays only for its own imports

    place, configuration = configured(home, instance, amqp, pg, port, running=False)
    run(place, configuration, policy)


@main.command()
@home_option
@instance_option
@click.option(
    "--wait",
    type=float,
    metavar="SECONDS",
    help="Return when queues and outboxes are empty, or fail after SECONDS.",
)
def status(home: Path | None, instance: str, wait: float | None) -> None:
    """What runs, since when, and what waits in outboxes and dead letters."""
    from kezhi.installation import Installation  # noqa: PLC0415
    from kezhi.status import await_quiet, show_status  # noqa: PLC0415

    if wait is not None:
        await_quiet(Installation(*configured(home, instance, None, None, None)), wait)
    show_status(located(home, instance))


@main.command()
@amqp_option
@pg_option
@home_option
@instance_option
def doctor(amqp: str | None, pg: str | None, home: Path | None, instance: str) -> None:
    """Look for what is wrong or merely tolerated; exit code 1 when something must be mended."""
    from kezhi.doctor import examine  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, None)
    raise SystemExit(examine(place, configuration))


@main.command()
@amqp_option
@pg_option
@home_option
@click.option("--instance", default="demo", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), help="Port of the gateway [8080, or the next that is free].")
@click.option("--exit", "leave", is_flag=True, help="End after the closing table instead of staying up.")
@click.option("--customers", type=click.IntRange(100, 1_000_000), default=2_000, show_default=True, help="How many.")
def demo(
    amqp: str | None, pg: str | None, home: Path | None, instance: str, port: int | None, leave: bool, customers: int
) -> None:
    """A company to look at: a year of an invented one, made through the public interfaces."""
    from kezhi.demo import demo as run  # noqa: PLC0415
    from kezhi.up import next_free_port  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, port, running=False)
    if port is None and not place.running():
        configuration = replace(configuration, port=next_free_port(configuration.port, click.echo))
    run(place, configuration, leave, customers)


for command in (
    letters.publish, letters.resync, letters.dead_letters, letters.outbox,
    upkeep.psql, upkeep.backup, upkeep.restore, upkeep.reset,
    rules.policy, rules.calendar, rules.opening_balances,
):  # fmt: skip
    main.add_command(command)


if __name__ == "__main__":
    main()
