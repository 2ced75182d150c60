"""``kezhi backup``: the databases of one instant and the key to read them, while everything goes on."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from importlib import metadata
from pathlib import Path

import click
import psycopg

from chassis.messaging.broker import BROKER_TROUBLE, connect
from chassis.messaging.names import RETRY_DELAYS, BrokerNames
from kezhi.backup import archive, cut
from kezhi.databases import ServerUnreachable, server_version
from kezhi.engine import programs, tools
from kezhi.engine.server import Engine, EngineFailure
from kezhi.home import Configuration, Home
from kezhi.installation import SERVICES, Installation, build_service


def backup(home: Home, configuration: Configuration, file: Path) -> None:
    """Write ``file``; an embedded database that is down is started for the moment. Raises ClickException."""
    if home.configuration() is None:
        raise click.ClickException(f"no installation in {home.path}; say which with --home or --instance")
    if file.exists():
        raise click.ClickException(f"{file} exists; choose another name: a backup is never written over")
    if not file.absolute().parent.is_dir():
        raise click.ClickException(f"there is no folder {file.absolute().parent}")
    with serving(home, configuration) as served:
        installation = Installation(home, served)
        folder = Path(tempfile.mkdtemp(prefix=f".{file.name}.", dir=file.absolute().parent))
        try:
            manifest = _dump(installation, folder)
            secrets = {"field_key": home.secrets()["field_key"]}
            archive.write(file, manifest, secrets, sorted(folder.glob("*.dump")))
        except (tools.ToolFailed, programs.NoPrograms, ServerUnreachable, cut.NoInstant) as failed:
            raise click.ClickException(f"nothing was written: {failed}") from None
        except psycopg.Error as failed:
            raise click.ClickException(f"nothing was written: {str(failed).strip()} (`kezhi up` creates)") from None
        finally:
            shutil.rmtree(folder)
    size = file.stat().st_size / 2**20
    click.echo(f"{file}: {len(SERVICES)} services as of {manifest.made_at}, {size:,.1f} MB")
    click.echo("it holds the key of encrypted fields: whoever can read the file can read everything in it")
    if manifest.waiting and not manifest.broker:
        click.echo(
            f"{sum(manifest.waiting.values()):,} messages waited in RabbitMQ, which is not part of a backup: "
            "a restore sends our own again; purchases that no service had taken yet their senders must repeat"
        )


@contextmanager
def serving(home: Home, configuration: Configuration) -> Iterator[Configuration]:
    """The configuration with servers that answer; the embedded one is started for the block where it is down."""
    if not configuration.embedded_database or home.running():
        yield configuration
        return
    with home.locked():
        try:
            with Engine(home).running(click.echo):
                yield home.refreshed(configuration)
        except EngineFailure as failed:
            raise click.ClickException(str(failed)) from None


def _dump(installation: Installation, folder: Path) -> archive.Manifest:
    client = programs.newest()
    major = server_version(installation.configuration.pg_url)
    if major > client.major:
        raise tools.ToolFailed(f"the server is PostgreSQL {major}, our pg_dump is of {client.major}: update Kezhi")
    waiting = _waiting(installation)
    with cut.common_instant(installation) as instant:
        for name, snapshot in instant.snapshots.items():
            broker = name == "broker"
            url = installation.broker_url() if broker else installation.database_url(name, owner=True)
            dump = folder / f"{name}.dump"
            told = (f"--snapshot={snapshot}", "--format=custom", "--compress=gzip:1", f"--file={dump}")
            tools.run(client, "pg_dump", url, *told)
    return archive.Manifest(
        made_at=instant.at.isoformat(),
        version=metadata.version("kezhi"),
        instance=installation.configuration.instance,
        server_major=major,
        roles={name: [installation.database_name(name), installation.owner_name(name)] for name in SERVICES},
        broker=installation.configuration.embedded_broker,
        waiting=waiting,
    )


def _waiting(installation: Installation) -> dict[str, int]:
    # Looked at before the instant: what waited then may still wait at it.
    names, found = BrokerNames(installation.configuration.instance), {}
    with suppress(*BROKER_TROUBLE), connect(installation.configuration.amqp_url) as connection:
        for service in SERVICES:
            for subscription in build_service(service).subscriptions:
                queue = names.queue(service, subscription.name)
                for name in (queue, *(names.retry(queue, delay) for delay in RETRY_DELAYS)):
                    with suppress(*BROKER_TROUBLE), connection.channel() as channel:
                        found[name] = channel.queue_declare(name, passive=True).message_count
    return {name: count for name, count in found.items() if count}
