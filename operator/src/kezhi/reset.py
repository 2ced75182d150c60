"""``kezhi reset``: remove one installation, and nothing of any other."""

from __future__ import annotations

import shutil

import click

from chassis.messaging import topology
from chassis.messaging.names import BrokerNames
from kezhi.databases import drop_databases
from kezhi.engine.server import Engine
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service


def reset(home: Home, configuration: Configuration, sure: bool) -> None:
    """Drop databases, roles, exchanges, queues and the home. Refuses while the installation runs."""
    if home.running():
        raise click.ClickException("the installation is running; stop it first")
    installation = Installation(home, configuration)
    names = [installation.database_name(service) for service in SERVICES]
    if configuration.embedded_broker:
        names.append(configuration.broker_database)
    if not sure:
        raise click.ClickException(
            f"this would remove {', '.join(names)}, their queues and {home.path}; say --yes if you mean it"
        )
    if configuration.embedded_database:
        Engine(home).remove()  # with its databases; also one that outlived a killed supervisor
        dropped = names
    else:
        dropped = drop_databases(installation)
    if not configuration.embedded_broker:
        services = [build_service(name) for name in SERVICES]
        topology.forget(configuration.amqp_url, BrokerNames(configuration.instance), services)
    if home.path.exists():
        shutil.rmtree(home.path)
    click.echo(f"removed {len(dropped)} databases, the queues of {', '.join(SERVICES)}, and {home.path}")
