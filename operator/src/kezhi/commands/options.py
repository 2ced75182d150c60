"""Options that commands share, and which installation they mean."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from kezhi.engine.server import Engine
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
    home: Path | None, instance: str, amqp: str | None, pg: str | None, port: int | None, *, running: bool = True
) -> tuple[Home, Configuration]:
    """Options over the remembered configuration; a server that is named nowhere is the embedded one.

    ``running``: the command needs an embedded database to run. Raises when the home was made with other engines.
    """
    place = located(home, instance)
    known = place.configuration()
    if known is None:
        name = instance.replace("-", "_")
        return place, place.resolved(name, amqp, pg, DEFAULT_PORT if port is None else port)
    for given, embedded, what in ((pg, known.embedded_database, "PostgreSQL"), (amqp, known.embedded_broker, "broker")):
        if given and embedded:
            raise click.ClickException(
                f"{place.path} was made with the embedded {what}: leave the option (or environment variable) out, "
                "choose another --home or --instance, or move with `kezhi backup` and `kezhi restore`"
            )
    if running and known.embedded_database and Engine(place).look() is None:
        raise click.ClickException(f"{place.path} is not running; start it with `kezhi up`")
    known = replace(
        known, port=known.port if port is None else port, instance=instance.replace("-", "_") or known.instance
    )
    return place, replace(known, pg_url=pg or known.pg_url, amqp_url=amqp or known.amqp_url)
