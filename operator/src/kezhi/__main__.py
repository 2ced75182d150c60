"""The command line: thin, every command calls one function of a module named like it."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kezhi.home import Configuration, Home

DEFAULT_PORT = 8080

home_option = click.option("--home", type=click.Path(path_type=Path), help="Folder of the installation [~/.kezhi/…].")
instance_option = click.option(
    "--instance",
    default="",
    envvar="KEZHI_INSTANCE",
    help="Name that keeps installations on shared servers apart.",
)
amqp_option = click.option("--amqp", envvar="KEZHI_AMQP", help="RabbitMQ, e.g. amqp://guest:guest@127.0.0.1:5672//")
pg_option = click.option(
    "--pg", envvar="KEZHI_PG", help="PostgreSQL, e.g. postgresql://postgres@127.0.0.1:5432/postgres"
)


def located(home: Path | None, instance: str) -> Home:
    """The home a command works on. An instance name becomes part of database names, so it is kept plain."""
    if instance and not (instance.isascii() and instance.replace("-", "").isalnum() and instance == instance.lower()):
        raise click.BadParameter("use small letters, digits and '-' only", param_hint="--instance")
    return Home.locate(home, instance.replace("-", "_"))


def configured(
    home: Path | None, instance: str, amqp: str | None, pg: str | None, port: int | None
) -> tuple[Home, Configuration]:
    """Options over the remembered configuration. Raises when the servers are named nowhere."""
    place = located(home, instance)
    known = place.configuration()
    amqp = amqp or (known.amqp_url if known else None)
    pg = pg or (known.pg_url if known else None)
    if not amqp or not pg:
        raise click.UsageError(
            "say where the servers are: --amqp amqp://… and --pg postgresql://… (or KEZHI_AMQP and KEZHI_PG)"
        )
    if port is None:
        port = known.port if known else DEFAULT_PORT
    name = instance.replace("-", "_") or (known.instance if known else "")
    return place, Configuration(name, amqp, pg, port)


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

    place, configuration = configured(home, instance, amqp, pg, port)
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
@click.argument("snapshot")
@click.option("--to", "receiver", required=True, help="The service that is to be brought level.")
@click.option("--from", "since", type=click.DateTime(), help="purchases only: first moment (UTC).")
@home_option
@instance_option
def resync(snapshot: str, receiver: str, since: datetime | None, home: Path | None, instance: str) -> None:
    """Republish a state (customers, members, staff, units) or raw purchases to one service's queue."""
    from kezhi.resync import resync as run  # noqa: PLC0415

    run(configured(home, instance, None, None, None), snapshot, receiver, since)


@main.command()
@click.argument("file", type=click.Path(path_type=Path, allow_dash=True))
@click.option("--amqp", envvar="KEZHI_AMQP", help="RabbitMQ; default: the installation's.")
@click.option("--source", default="/kezhi/publish", show_default=True, help="`source` of events made from CSV rows.")
@click.option(
    "--set",
    "columns",
    multiple=True,
    metavar="FIELD=TEMPLATE",
    help="How CSV columns fill a purchase, e.g. total={spent}.",
)
@click.option("--last-day", help="Shift CSV dates so that the last one is this day (YYYY-MM-DD or 'yesterday').")
@click.option("--restart", is_flag=True, help="Publish from the first row, although an earlier run got further.")
@home_option
@instance_option
def publish(
    file: Path,
    amqp: str | None,
    source: str,
    columns: tuple[str, ...],
    last_day: str | None,
    restart: bool,
    home: Path | None,
    instance: str,
) -> None:
    """Publish purchase events from FILE ('-': standard input): JSON Lines, a JSON list, or CSV."""
    from kezhi.publishing import publish_file  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, "-" if amqp else None, None)
    publish_file(place, configuration, file, source=source, columns=columns, last_day=last_day, restart=restart)


@main.group("dead-letters")
def dead_letters() -> None:
    """Messages that no retry could help: look, replay after the mend, or drop."""


@dead_letters.command("list")
@click.option("--service", help="One service only.")
@home_option
@instance_option
def list_dead_letters(service: str | None, home: Path | None, instance: str) -> None:
    """Every dead letter with its reason."""
    from kezhi.dead_letters import list_letters  # noqa: PLC0415

    list_letters(configured(home, instance, None, None, None), service)


@dead_letters.command("show")
@click.argument("letter_id")
@home_option
@instance_option
def show_dead_letter(letter_id: str, home: Path | None, instance: str) -> None:
    """One dead letter whole, body included."""
    from kezhi.dead_letters import show_letter  # noqa: PLC0415

    show_letter(configured(home, instance, None, None, None), letter_id)


@dead_letters.command("replay")
@click.argument("letter_ids", nargs=-1)
@click.option("--all", "everything", is_flag=True, help="All that wait.")
@home_option
@instance_option
def replay_dead_letters(letter_ids: tuple[str, ...], everything: bool, home: Path | None, instance: str) -> None:
    """Send them to their queue again; repeating a replay has no second effect."""
    from kezhi.dead_letters import replay_letters  # noqa: PLC0415

    replay_letters(configured(home, instance, None, None, None), letter_ids, everything)


@dead_letters.command("drop")
@click.argument("letter_ids", nargs=-1, required=True)
@click.option("--reason", required=True, help="Why it is right to lose them.")
@home_option
@instance_option
def drop_dead_letters(letter_ids: tuple[str, ...], reason: str, home: Path | None, instance: str) -> None:
    """Give them up, with a reason that is kept."""
    from kezhi.dead_letters import drop_letters  # noqa: PLC0415

    drop_letters(configured(home, instance, None, None, None), letter_ids, reason)


@main.command()
@amqp_option
@pg_option
@home_option
@instance_option
@click.option("--yes", is_flag=True, help="Really remove it.")
def reset(amqp: str | None, pg: str | None, home: Path | None, instance: str, yes: bool) -> None:
    """Remove an installation: its databases, roles, queues, exchanges and home."""
    from kezhi.reset import reset as run  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, None)
    run(place, configuration, yes)


@main.group()
def policy() -> None:
    """Policy packs: check one, or compare two."""


@policy.command("check")
@click.argument("folder", type=click.Path(path_type=Path, exists=True, file_okay=False))
def check_policy(folder: Path) -> None:
    """Say what is wrong in FOLDER, with file, line, column and what to write instead."""
    from kezhi.policy import check  # noqa: PLC0415

    raise SystemExit(check(folder))


@policy.command("vocabulary")
def list_vocabulary() -> None:
    """Say which measures, functions and predicates a pack may use."""
    from kezhi.policy import vocabulary  # noqa: PLC0415

    vocabulary()


@policy.command("diff")
@click.argument("old", type=click.Path(path_type=Path, exists=True, file_okay=False))
@click.argument("new", type=click.Path(path_type=Path, exists=True, file_okay=False))
def diff_policies(old: Path, new: Path) -> None:
    """Say in words, clause by clause, what NEW decides otherwise than OLD."""
    from kezhi.policy import diff  # noqa: PLC0415

    raise SystemExit(diff(old, new))


@main.group()
def calendar() -> None:
    """Working calendars: import a year that was published."""


@calendar.command("import")
@click.argument("file", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@home_option
@instance_option
def import_calendar(file: Path, home: Path | None, instance: str) -> None:
    """Put the public holidays and make-up workdays of FILE (YAML or CSV, one year) in force."""
    from kezhi.calendar import import_calendar as run  # noqa: PLC0415

    run(configured(home, instance, None, None, None), file)


@main.command()
@amqp_option
@pg_option
@home_option
@click.option("--instance", default="demo", show_default=True)
@click.option("--port", type=click.IntRange(1, 65535), default=DEFAULT_PORT, show_default=True)
@click.option("--exit", "leave", is_flag=True, help="End after the closing table instead of staying up.")
def demo(amqp: str | None, pg: str | None, home: Path | None, instance: str, port: int, leave: bool) -> None:
    """A company to look at: real purchases of 2,357 customers, made through the public interfaces."""
    from kezhi.demo import demo as run  # noqa: PLC0415

    place, configuration = configured(home, instance, amqp, pg, port)
    run(place, configuration, leave)


if __name__ == "__main__":
    main()
