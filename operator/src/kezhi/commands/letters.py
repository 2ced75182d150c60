"""What other systems publish, and what got stuck on its way."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from kezhi.commands.options import DEFAULT_PORT, configured, home_option, instance_option, located
from kezhi.home import Configuration


@click.command()
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

    if amqp:  # somebody else's broker: nothing of an installation is needed but the place where progress is kept
        place = located(home, instance)
        known = place.configuration()
        name = instance.replace("-", "_") or (known.instance if known else "")
        configuration = Configuration(name, amqp, "-", DEFAULT_PORT)
    else:
        place, configuration = configured(home, instance, None, None, None)
    publish_file(place, configuration, file, source=source, columns=columns, last_day=last_day, restart=restart)


@click.command()
@click.argument("snapshot")
@click.option("--to", "receiver", required=True, help="The service that is to be brought level.")
@click.option("--from", "since", type=click.DateTime(), help="purchases only: first moment (UTC).")
@home_option
@instance_option
def resync(snapshot: str, receiver: str, since: datetime | None, home: Path | None, instance: str) -> None:
    """Republish a state (customers, members, staff, units) or raw purchases to one service's queue."""
    from kezhi.resync import resync as run  # noqa: PLC0415

    run(configured(home, instance, None, None, None), snapshot, receiver, since)


@click.group("dead-letters")
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


@click.group()
def outbox() -> None:
    """Events that the broker would not take: look, and publish them again after the mend."""


@outbox.command("list")
@click.option("--service", help="One service only.")
@home_option
@instance_option
def list_outbox(service: str | None, home: Path | None, instance: str) -> None:
    """Every event that was given up, with the error."""
    from kezhi.outbox import list_failed  # noqa: PLC0415

    list_failed(configured(home, instance, None, None, None), service)


@outbox.command("revive")
@click.argument("ids", nargs=-1, type=int)
@click.option("--service", help="Whose they are; with --all: of this one only.")
@click.option("--all", "everything", is_flag=True, help="All that were given up.")
@home_option
@instance_option
def revive_outbox(
    ids: tuple[int, ...], service: str | None, everything: bool, home: Path | None, instance: str
) -> None:
    """Publish them again; a receiver that knows one already is not disturbed."""
    from kezhi.outbox import revive  # noqa: PLC0415

    revive(configured(home, instance, None, None, None), service, ids, everything)
