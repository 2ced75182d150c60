"""PostgreSQL's client programs (pg_dump, pg_restore, psql) on any server; passwords never stand on a command line."""

from __future__ import annotations

import subprocess
from typing import IO, Any, cast

from sqlalchemy.engine import make_url

from kezhi.engine import cluster
from kezhi.engine.programs import Programs


class ToolFailed(Exception):
    """The program's own words."""


def run(tools: Programs, program: str, url: str, *arguments: str, given: str | None = None) -> str:
    """Run a program on the database of ``url`` to its end; answers what it wrote. Raises ToolFailed."""
    command, environment = told(tools, program, url, *arguments)
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
        command, input=given, capture_output=True, text=True, check=False, env=environment
    )
    if done.returncode:
        raise ToolFailed(f"{program}: {done.stderr.strip()}")
    return done.stdout


def carry(tools: Programs, source: str, target: str) -> None:
    """One database with its owner and rights from one server to another, through a pipe: no file, no space.

    ``target`` is any database of the other server; the carried one is made. Raises ToolFailed.
    """
    command, environment = told(tools, "pg_dump", source, "--format=custom", "--compress=0", "--create")
    dump = subprocess.Popen(  # noqa: S603 - PostgreSQL's own program, no shell
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    with dump:
        load(tools, cast("IO[bytes]", dump.stdout), target, "--create")
        said = cast("IO[bytes]", dump.stderr).read().decode(errors="replace").strip()
    if dump.returncode:
        raise ToolFailed(f"pg_dump: {said}")


def load(tools: Programs, dump: IO[bytes], target: str, *options: str) -> None:
    """Run pg_restore on an open dump, into the database of ``target``. Raises ToolFailed."""
    command, environment = told(tools, "pg_restore", target, "--exit-on-error", *options)
    done = subprocess.run(  # noqa: S603 - PostgreSQL's own program, no shell
        command, stdin=dump, capture_output=True, check=False, env=environment
    )
    if done.returncode:
        raise ToolFailed(f"pg_restore: {done.stderr.decode(errors='replace').strip()}")


def told(tools: Programs, program: str, url: str, *arguments: str) -> tuple[list[str], dict[str, str]]:
    """Command line and environment of a program."""
    parsed = make_url(url).set(drivername="postgresql")
    environment: dict[str, Any] = cluster.environment()
    if parsed.password:
        environment["PGPASSWORD"] = str(parsed.password)
    bare = parsed._replace(password=None).render_as_string()
    return [tools.path(program), *arguments, f"--dbname={bare}"], environment
