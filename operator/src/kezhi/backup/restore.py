"""``kezhi restore``: an installation from a backup's file, on the embedded engine or on given servers.

Dumps come back as their text through psql, so that an older server takes what a newer pg_dump wrote; objects belong to
the roles of this installation, whatever the other one was called, and the rights are given with the names changed.
"""

from __future__ import annotations

import io
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import IO, cast

import click

from kezhi.backup import archive, level
from kezhi.backup.archive import Manifest
from kezhi.databases import ServerUnreachable, create_databases, drop_databases, occupied_databases, server_version
from kezhi.engine import programs, tools
from kezhi.engine.programs import Programs
from kezhi.engine.server import Engine, EngineFailure
from kezhi.home import Configuration, Home, HomeInUse
from kezhi.installation import SERVICES, Installation
from kezhi.packs import default_pack
from kezhi.up import run_prepare

OLDEST_POSTGRES = 15
# What a dump says that another server may not know: a setting of newer majors; column options (ours have none), to
# which some vendors' servers add their own.
_FOREIGN = re.compile(rb"SET transaction_timeout = |ALTER TABLE ONLY \S+ ALTER COLUMN \S+ SET \(")
_ROWS_FOLLOW, _ROWS_END = re.compile(rb"COPY .* FROM stdin;\n$"), b"\\.\n"
_MAINTAIN, _KNOWS_MAINTAIN = re.compile(rb"\bMAINTAIN,|,MAINTAIN\b"), 17  # a right that older servers have no word for
# What came back was made anew by its owner, who gives the service rights to whatever is made: to the books too, which
# it may only add to. A dump tells what was given, never what was taken away.
_NONE_YET = """
DO $$
DECLARE known record;
BEGIN
    FOR known IN SELECT oid::regclass AS place FROM pg_class
        WHERE relkind IN ('r', 'p', 'v', 'm', 'S') AND relowner = current_user::regrole
    LOOP
        EXECUTE format('REVOKE ALL ON %s FROM %I', known.place, '{role}');
    END LOOP;
END $$;
"""
_RIGHTS = re.compile(r"^\d+; \d+ \d+ (DEFAULT )?ACL ")


def restore(home: Home, configuration: Configuration, file: Path, replacing: bool) -> None:
    """Bring ``file`` back. Refuses what is not empty unless ``replacing``. Raises ClickException."""
    try:
        manifest, secrets = archive.read(file)
    except archive.NoBackup as refused:
        raise click.ClickException(str(refused)) from None
    if set(manifest.roles) != set(SERVICES):
        raise click.ClickException(f"{file} is of a Kezhi with other services: {', '.join(manifest.roles)}")
    if home.configuration() is not None and not replacing:
        raise click.ClickException(f"{home.path} holds an installation; say --replace to throw it away")
    home.create()
    with ExitStack() as stack:
        try:
            stack.enter_context(home.locked())
        except HomeInUse:
            raise click.ClickException(f"the installation in {home.path} is running; stop it first") from None
        try:
            if configuration.embedded_database:
                stack.enter_context(Engine(home).running(click.echo))
            installation = Installation(home, home.refreshed(configuration))
            _clear(installation, replacing)
            home.remember(installation.configuration)
            with home.restoring():
                _bring_back(installation, file, manifest, secrets)
        except (EngineFailure, ServerUnreachable, tools.ToolFailed, programs.NoPrograms) as failed:
            raise click.ClickException(str(failed)) from None
    click.echo(f"restored as of {manifest.made_at}; start it with `kezhi up`")


def _clear(installation: Installation, replacing: bool) -> None:
    if occupied := occupied_databases(installation):
        if not replacing:
            raise click.ClickException(f"{', '.join(occupied)} are not empty; say --replace to throw them away")
        drop_databases(installation)


def _bring_back(installation: Installation, file: Path, manifest: Manifest, secrets: dict[str, str]) -> None:
    client = programs.newest()
    if (major := server_version(installation.configuration.pg_url)) < OLDEST_POSTGRES:
        raise click.ClickException(f"PostgreSQL {major} is too old: {OLDEST_POSTGRES} or newer is needed")
    installation.home.give_field_key(secrets["field_key"])
    create_databases(installation)
    folder = Path(tempfile.mkdtemp(prefix="restore-", dir=installation.home.path))
    try:
        archive.unpack(file, folder)
        for service in SERVICES:
            url, dump = installation.database_url(service, owner=True), folder / f"{service}.dump"
            load(client, dump, url)
            ours = [installation.database_name(service), installation.owner_name(service)]
            give_rights(client, dump, url, dict(zip(manifest.roles[service], ours, strict=True)), major)
        same = manifest.instance == installation.configuration.instance  # it is a part of exchanges' and queues' names
        whole = manifest.broker and same and installation.configuration.embedded_broker
        if whole:
            load(client, folder / "broker.dump", installation.broker_url())
    finally:
        shutil.rmtree(folder)
    for word in run_prepare(installation, default_pack()):
        click.echo(word)
    if not whole:  # what was on its way did not come back with the broker
        again = level.publish_again(installation, level.span(manifest))
        purchases = level.level_purchases(installation, level.span(manifest))
        click.echo(
            f"{again:,} events will be published again, {purchases:,} purchases were sent again; "
            "those that are known have no effect"
        )
        if manifest.waiting:
            click.echo(
                f"{sum(manifest.waiting.values()):,} messages waited in the other broker: purchases among them that no "
                "service had taken yet must be repeated by their senders"
            )


def load(client: Programs, dump: Path, url: str) -> None:
    """All objects and rows of a dump into an empty database, owned by the user of ``url``. Raises ToolFailed."""
    _through_psql(client, url, ["--no-owner", "--no-privileges", str(dump)], without_foreign)


def give_rights(client: Programs, dump: Path, url: str, names: dict[str, str], major: int) -> None:
    """The rights of a dump, and no others, given to the roles of another installation.

    ``names``: the service's role and its owner role, as they were → as they are; ``major``: of the server that takes
    them. Raises ToolFailed.
    """
    role = next(iter(names.values()))
    contents = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
        [client.path("pg_restore"), "--list", str(dump)], capture_output=True, text=True, check=True
    ).stdout
    wanted = dump.with_suffix(".rights")
    wanted.write_text("\n".join(line for line in contents.splitlines() if _RIGHTS.match(line)) + "\n")
    renamed = re.compile("|".join(rf"\b{re.escape(name)}\b" for name in names))

    def rename(source: IO[bytes], target: IO[bytes]) -> None:
        target.write(_NONE_YET.format(role=role).encode())
        rights = io.BytesIO()
        without_foreign(source, rights)
        told = rights.getvalue() if major >= _KNOWS_MAINTAIN else _MAINTAIN.sub(b"", rights.getvalue())
        target.write(renamed.sub(lambda found: names[found[0]], told.decode()).encode())

    _through_psql(client, url, [f"--use-list={wanted}", str(dump)], rename)


def without_foreign(source: IO[bytes], target: IO[bytes]) -> None:
    """Copy a dump's text without what only its own server understands; rows are data and pass as they are."""
    rows = False
    for line in source:
        if rows:
            rows = line != _ROWS_END
        elif _FOREIGN.match(line):
            continue
        else:
            rows = _ROWS_FOLLOW.match(line) is not None
        target.write(line)


def _through_psql(client: Programs, url: str, what: list[str], change: Callable[[IO[bytes], IO[bytes]], None]) -> None:
    """pg_restore's text, changed on its way, into psql: all of it or, where it fails, nothing."""
    command, environment = tools.told(
        client,
        "psql",
        url,
        "--no-psqlrc",
        "--quiet",
        "--set=ON_ERROR_STOP=1",
        "--single-transaction",
        "--output=/dev/null",
    )
    with tempfile.TemporaryFile() as said:
        with (
            subprocess.Popen(  # noqa: S603 - PostgreSQL's own program, no shell
                [client.path("pg_restore"), "--file=-", *what], stdout=subprocess.PIPE, stderr=said
            ) as reading,
            subprocess.Popen(  # noqa: S603 - PostgreSQL's own program, no shell
                command, env=environment, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=said
            ) as writing,
        ):
            into = cast("IO[bytes]", writing.stdin)
            try:
                change(cast("IO[bytes]", reading.stdout), into)
                into.close()
            except BrokenPipeError:
                reading.kill()
        if reading.returncode or writing.returncode:
            said.seek(0)
            raise tools.ToolFailed(said.read().decode(errors="replace").strip()[-2000:])
